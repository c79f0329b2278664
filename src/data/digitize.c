#include "data/digitize.h"

#include "core/mem.h"
#include "data/digit_image.h"
#include "data/page.h"
#include "data/picture.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    WORK_SIDE = 512,   /* a digit needs no more pixels than this; fewer mean less noise */
    MIN_CONTRAST = 32, /* between digit and ground, of 255 */
    MIN_LIGHT = 32     /* paper darker than this, of 255, is taken to be as light, lest noise grows */
};

/* Shrinks a picture whose longer side is more than twice WORK_SIDE; averages, so that noise shrinks too. */
static PIX *shrink_to_work(PIX *grey) {
    int width = pixGetWidth(grey), height = pixGetHeight(grey);
    float scale = (float)WORK_SIDE / (float)L_MAX(width, height);
    if (scale > 0.5f) return pixClone(grey);
    return pixScaleGeneral(grey, fmaxf(scale, 1.0f / (float)width), fmaxf(scale, 1.0f / (float)height), 0, 0);
}

/* Brightness as a linear function of the place: level + slope_x * column + slope_y * row. */
typedef struct {
    double level, slope_x, slope_y;
} Plane;

static double plane_at(const Plane *plane, int x, int y) {
    return plane->level + plane->slope_x * x + plane->slope_y * y;
}

static double rank_of_line(PIX *grey, int x, int y, int width, int height, float rank) {
    BOX *box = boxCreate(x, y, width, height);
    PIX *line = pixClipRectangle(grey, box, NULL);
    l_uint32 value = 0;
    pixGetRankValue(line, 1, rank, &value);
    pixDestroy(&line);
    boxDestroy(&box);
    return value;
}

/* The plane through the picture's four edges, of each of which the pixel of this rank counts. */
static Plane plane_of_edges(PIX *grey, float rank) {
    int width = pixGetWidth(grey), height = pixGetHeight(grey);
    double top = rank_of_line(grey, 0, 0, width, 1, rank), left = rank_of_line(grey, 0, 0, 1, height, rank);
    double bottom = rank_of_line(grey, 0, height - 1, width, 1, rank);
    double right = rank_of_line(grey, width - 1, 0, 1, height, rank);
    Plane plane = {.slope_x = (right - left) / L_MAX(width - 1, 1),
                   .slope_y = (bottom - top) / L_MAX(height - 1, 1)};
    plane.level = (top + bottom + left + right) / 4 - plane.slope_x * (width - 1) / 2 -
                  plane.slope_y * (height - 1) / 2;
    return plane;
}

/* Whether the digit is darker than its ground: it is what departs most from the edges' plane, which the third
 * power brings out. */
static bool is_dark_on_light(PIX *grey) {
    Plane plane = plane_of_edges(grey, 0.5f);
    double departure = 0;
    for (int y = 0; y < pixGetHeight(grey); y++) {
        const l_uint32 *line = pixGetData(grey) + (int64_t)y * pixGetWpl(grey);
        for (int x = 0; x < pixGetWidth(grey); x++)
            departure += pow(GET_DATA_BYTE(line, x) - plane_at(&plane, x, y), 3);
    }
    return departure < 0;
}

/* Takes from grey the tilt of its ground (ink is light), so that the ground becomes about as dark everywhere
 * as it is at its darkest corner. Gives the tilt: what was taken away, at least 0 everywhere. */
static Plane level_ground(PIX *grey) {
    int width = pixGetWidth(grey), height = pixGetHeight(grey);
    Plane tilt = plane_of_edges(grey, 0.25f);
    tilt.level = fmax(0, -tilt.slope_x * (width - 1)) + fmax(0, -tilt.slope_y * (height - 1));
    for (int y = 0; y < height; y++) {
        l_uint32 *line = pixGetData(grey) + (int64_t)y * pixGetWpl(grey);
        for (int x = 0; x < width; x++) {
            int value = GET_DATA_BYTE(line, x) - (int)lround(plane_at(&tilt, x, y));
            SET_DATA_BYTE(line, x, L_MAX(value, 0));
        }
    }
    return tilt;
}

/* Makes of grey the ink alone, light on black, by taking away the ground: its tilt and everything too wide to
 * be a stroke. Dark ink takes a share of the light that falls on the paper, so there what is left is put in
 * relation to the ground. */
static void lift_ink(PIX *grey) {
    bool dark = is_dark_on_light(grey);
    if (dark) pixInvert(grey, grey);
    int window = L_MAX(L_MAX(pixGetWidth(grey), pixGetHeight(grey)) / 2 | 1, 3);
    Plane tilt = level_ground(grey);
    PIX *ground = pixOpenGray(grey, window, window);
    for (int y = 0; y < pixGetHeight(grey); y++) {
        l_uint32 *line = pixGetData(grey) + (int64_t)y * pixGetWpl(grey);
        const l_uint32 *ground_line = pixGetData(ground) + (int64_t)y * pixGetWpl(ground);
        for (int x = 0; x < pixGetWidth(grey); x++) {
            int under = GET_DATA_BYTE(ground_line, x), ink = GET_DATA_BYTE(line, x) - under;
            int light = 255 - under - (int)lround(plane_at(&tilt, x, y));
            int full = dark ? L_MAX(light, MIN_LIGHT) : 255;
            SET_DATA_BYTE(line, x, L_MIN(ink * 255 / full, 255));
        }
    }
    pixDestroy(&ground);
}

/* 1 where ink >= threshold. */
static PIX *ink_above(PIX *ink, int threshold) {
    PIX *mask = pixThresholdToBinary(ink, L_MAX(threshold, 1)); /* 1 where it is below */
    pixInvert(mask, mask);
    return mask;
}

/* The parts of mask that aren't far smaller than its largest one. */
static PIX *drop_specks(PIX *mask) {
    PIXA *parts;
    BOXA *boxes = pixConnComp(mask, &parts, 8);
    NUMA *areas = pixaCountPixels(parts);
    l_float32 largest = 0;
    numaGetMax(areas, &largest, NULL);
    numaDestroy(&areas);
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    return pixSelectByArea(mask, largest / 32, 8, L_SELECT_IF_GTE, NULL);
}

/* Value below which a share of the pixels lie, of those where mask is 1. */
static int rank_value(PIX *ink, PIX *mask, float share) {
    l_float32 value = 0;
    pixGetRankValueMasked(ink, mask, 0, 0, 1, share, &value, NULL);
    return (int)lroundf(value);
}

/* Cuts the digit out: *digit is its bounding box with the ground at 0 and the strokes' inside at 255. *digit
 * is NULL if there is none. */
static void cut_out(PIX *ink, ImageSpec spec, PIX **digit) {
    l_int32 threshold, empty;
    *digit = NULL;
    if (pixSplitDistributionFgBg(ink, 0.1f, 1, &threshold, NULL, NULL, NULL)) return;
    PIX *all = ink_above(ink, threshold), *core = drop_specks(all), *ground = pixInvert(NULL, all);
    int high = rank_value(ink, core, 0.95f), low = rank_value(ink, ground, 0.5f);
    pixZero(core, &empty);
    if (!empty && high - low >= MIN_CONTRAST) {
        /* strokes end where they fade out, not at the threshold */
        PIX *faint = ink_above(ink, low + (high - low) / 6), *whole = pixSeedfillBinary(NULL, core, faint, 8);
        BOX *box;
        pixClipToForeground(whole, NULL, &box);
        l_int32 width, height;
        boxGetGeometry(box, NULL, NULL, &width, &height);
        int margin = 2 * L_MAX(width / digit_box(spec.width), height / digit_box(spec.height)) +
                     3; /* one pixel of the image on each side */
        PIX *around = pixDilateBrick(NULL, whole, margin, margin), *outside = pixInvert(NULL, around);
        pixSetMasked(ink, outside, 0);
        NUMA *levels = numaMakeConstant(0, 256);
        for (int v = low; v < 256; v++)
            numaSetValue(levels, v, (l_float32)L_MIN((v - low) * 255 / (high - low), 255));
        pixTRCMap(ink, NULL, levels);
        *digit = pixClipRectangle(ink, box, NULL);
        numaDestroy(&levels);
        boxDestroy(&box);
        pixDestroy(&outside);
        pixDestroy(&around);
        pixDestroy(&whole);
        pixDestroy(&faint);
    }
    pixDestroy(&ground);
    pixDestroy(&core);
    pixDestroy(&all);
}

/* A grey picture taken as one digit; whether it holds any. */
static bool digitize_whole(PIX *grey, ImageSpec spec, uint8_t *image) {
    PIX *digit = NULL, *work = shrink_to_work(grey);
    if (work) {
        lift_ink(work);
        cut_out(work, spec, &digit);
    }
    const bool found = digit != NULL;
    if (found) digit_image(digit, spec, image);
    pixDestroy(&digit);
    pixDestroy(&work);
    return found;
}

StatusCode digitize_picture(const char *path, ImageSpec spec, uint8_t *image, Status *status) {
    const bool stretch = spec.from == IMAGE_FROM_WHOLE;
    PIX *grey;
    if ((stretch ? picture_read_luminance : picture_read)(path, &grey, status)) return status->code;
    if (stretch && !picture_stretch(grey, spec, image))
        status_set(status, STATUS_FAILED, "%s can't be scaled.", path);
    else if (!stretch && !digitize_whole(grey, spec, image))
        status_set(status, STATUS_FAILED, "%s shows no digit: it looks blank; use a picture of one digit.",
                   path);
    pixDestroy(&grey);
    return status->code;
}

/* One digit on the page, as large as it; stretch: as pictures were taken that a model was trained on. */
static void take_whole(PIX *page, bool stretch, FoundDigits *found) {
    uint8_t image[PIXELS_MAX];
    PIX *grey = stretch ? picture_luminance(page) : picture_grey(page);
    if (grey && (stretch ? picture_stretch : digitize_whole)(grey, found->spec, image))
        found_digits_add(
            found, &(FoundDigit){.width = pixGetWidth(grey), .height = pixGetHeight(grey), .alone = true},
            image);
    pixDestroy(&grey);
}

/* A picture that is an image as models see it, such as one of MNIST's. */
static bool is_image(PIX *page, ImageSpec spec) {
    return pixGetWidth(page) == spec.width && pixGetHeight(page) == spec.height;
}

static void add_unread(UnreadPages *unread, int picture, int page, const Status *status) {
    unread->pages = mem_grow(unread->pages, (size_t)unread->count, sizeof *unread->pages);
    UnreadPage *added = &unread->pages[unread->count++];
    *added = (UnreadPage){.picture = picture, .page = page};
    memcpy(added->text, status->text, sizeof added->text);
}

static void add_crowded(UnreadPages *unread, const char *path, int picture, int page) {
    Status note = {0};
    status_set(
        &note, STATUS_FAILED,
        "%s, page %d: more than %d shapes are too many for digits; if it isn't noise, cut it into parts.",
        path, page + 1, FOUND_SHAPES_MOST);
    add_unread(unread, picture, page, &note);
    unread->pages[unread->count - 1].is_read = true;
}

int digitize_pages(const char *path, int picture, bool single, FoundDigits *found, UnreadPages *unread) {
    Status failure = {0};
    PictureFile *file = picture_open(path, &failure);
    const bool whole = found->spec.from == IMAGE_FROM_WHOLE;
    const int pages = file ? picture_pages(file) : 0;
    if (!file) add_unread(unread, picture, -1, &failure);
    for (int p = 0; p < pages; p++) {
        const int64_t before = found->count;
        Status status = {0};
        PIX *page = NULL;
        if (picture_page(file, p, whole ? PAPER_WHITE : PAPER_FOUND, &page, &status)) {
            add_unread(unread, picture, p, &status);
            continue;
        }
        if (whole || single || is_image(page, found->spec))
            take_whole(page, whole, found);
        else
            page_find_digits(page, found);
        if (found->crowded) add_crowded(unread, path, picture, p);
        found->crowded = false;
        for (int64_t i = before; i < found->count; i++) {
            found->digits[i].picture = picture;
            found->digits[i].page = p;
        }
        pixDestroy(&page);
    }
    picture_close(&file);
    return pages;
}

int digitize_silence(void) {
    return picture_silence();
}

void digitize_unsilence(int kept) {
    picture_unsilence(kept);
}
