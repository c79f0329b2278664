#include "data/annotate.h"

#include "core/integers.h"
#include "data/caption.h"
#include "data/picture.h"
#include "data/sheet.h"

#include <math.h>

enum {
    MOST_SIDE = 1600,        /* of a page in the result */
    MOST_PIXELS = 200000000, /* of the result */
    GAP = 8,
    LEAST_DIGIT = 30, /* the mean height that small digits are scaled up to, */
    MOST_ZOOM = 4     /* at most so many times */
};

/* Above the box or, where the page ends, below it, or else within. */
static void draw_caption(PIX *page, const BOX *box, const char *text, l_uint32 colour, L_BMF *font) {
    const int gap = 5;
    char caption[ANNOTATION_BYTES];
    l_int32 rise = 0, width = 0, x, y, height;
    caption_safe(text, caption, sizeof caption);
    boxGetGeometry((BOX *)box, &x, &y, NULL, &height);
    bmfGetBaseline(font, '0', &rise);
    bmfGetStringWidth(font, caption, &width);
    const int below = y + height + gap + rise;
    const int baseline = y - gap - rise >= 0                ? y - gap
                         : below + gap < pixGetHeight(page) ? below
                                                            : y + gap + rise;
    const int left = (int)larger(smaller(x, pixGetWidth(page) - width), 0);
    pixSetTextline(page, font, caption, colour, left, baseline, NULL, NULL);
}

static void draw_box(PIX *page, double scale, const AnnotatedBox *drawn, L_BMF *font) {
    const FoundDigit *place = &drawn->place;
    const int width = (int)larger(2, pixGetWidth(page) / 400), around = width + 1;
    const int x = (int)(place->x * scale), y = (int)(place->y * scale);
    BOX *box = boxCreate((int)larger(x - around, 0), (int)larger(y - around, 0),
                         (int)(place->width * scale) + 2 * around, (int)(place->height * scale) + 2 * around);
    const int red = drawn->doubtful ? 230 : 0, green = drawn->doubtful ? 120 : 140,
              blue = drawn->doubtful ? 0 : 60;
    l_uint32 colour;
    composeRGBPixel(red, green, blue, &colour);
    pixRenderBoxArb(page, box, width, (l_uint8)red, (l_uint8)green, (l_uint8)blue);
    draw_caption(page, box, drawn->caption, colour, font);
    boxDestroy(&box);
}

static double mean_height(const AnnotatedBox *boxes, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += boxes[i].place.height;
    return count ? sum / count : LEAST_DIGIT;
}

/* Pages within MOST_SIDE, small ones larger, and so that digits don't get lost behind their captions. */
static double scale_of(PIX *page, double digit) {
    const double side = (double)larger(pixGetWidth(page), pixGetHeight(page)), fits = MOST_SIDE / side;
    const double clear = fmin(LEAST_DIGIT / digit, MOST_ZOOM);
    return fmin(fits, fmax(clear, fmax(1, 200 / side)));
}

/* About half as high as digits; leptonica has the even sizes from 4 on, of about three pixels each. */
static L_BMF *font_for(double digit) {
    return bmfCreate(NULL, 2 * (int)smaller(larger((int64_t)(digit / 12), 2), 5));
}

/* A page in colour, with its boxes. */
static PIX *draw_page(PIX *page, const AnnotatedBox *boxes, int count) {
    const double digit = mean_height(boxes, count), scale = scale_of(page, digit);
    L_BMF *font = font_for(digit * scale);
    PIX *colour = pixConvertTo32(page), *scaled = pixScale(colour, (l_float32)scale, (l_float32)scale);
    for (int i = 0; scaled && i < count; i++)
        draw_box(scaled, scale, &boxes[i], font);
    bmfDestroy(&font);
    pixDestroy(&colour);
    return scaled;
}

/* Adds the pages of a picture; *boxes and *count move on past theirs. */
static StatusCode add_picture(const char *path, int picture, const AnnotatedBox **boxes, int *count,
                              PIXA *drawn, int64_t *pixels, Status *status) {
    PictureFile *file = picture_open(path, status);
    for (int p = 0; file && p < picture_pages(file) && !status->code; p++) {
        int own = 0;
        PIX *page = NULL;
        Status unread = {0}; /* which reading it told */
        while (own < *count && (*boxes)[own].place.picture == picture && (*boxes)[own].place.page == p)
            own++;
        if (!picture_page(file, p, PAPER_FOUND, &page, &unread)) {
            PIX *done = draw_page(page, *boxes, own);
            if (done) {
                *pixels += (int64_t)pixGetWidth(done) * pixGetHeight(done);
                pixaAddPix(drawn, done, L_INSERT);
            }
        }
        if (*pixels > MOST_PIXELS)
            status_set(status, STATUS_FAILED, "--annotate: the pictures are too many for one; name fewer.");
        pixDestroy(&page);
        *boxes += own;
        *count -= own;
    }
    picture_close(&file);
    return status->code;
}

StatusCode annotate_pictures(const char *out, char *const *paths, const int *pages, int pictures,
                             const AnnotatedBox *boxes, int count, Status *status) {
    int64_t pixels = 0;
    PIXA *drawn = pixaCreate(pictures);
    const int kept = picture_silence();
    for (int i = 0; i < pictures && !status->code; i++)
        if (pages[i] > 0) add_picture(paths[i], i, &boxes, &count, drawn, &pixels, status);
    picture_unsilence(kept);
    if (!status->code) {
        PIX *whole =
            pixaGetCount(drawn) ? pixaDisplayTiledInColumns(drawn, 1, 1.0f, GAP, 0) : pixCreate(64, 64, 8);
        sheet_write_picture(out, whole, status);
        pixDestroy(&whole);
    }
    pixaDestroy(&drawn);
    return status->code;
}
