#include "data/annotate.h"

#include "core/integers.h"
#include "data/caption.h"
#include "data/picture.h"
#include "data/sheet.h"

enum {
    MOST_SIDE = 1600,        /* of a page in the result */
    MOST_PIXELS = 200000000, /* of the result */
    GAP = 8
};

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
    const int above = y - around - 6;
    char caption[ANNOTATION_BYTES];
    caption_safe(drawn->caption, caption, sizeof caption);
    pixSetTextline(page, font, caption, colour, (int)larger(x - around, 0), above > 16 ? above : y + 20, NULL,
                   NULL);
    boxDestroy(&box);
}

/* A page in colour, at most MOST_SIDE pixels high and wide, with its boxes. */
static PIX *draw_page(PIX *page, const AnnotatedBox *boxes, int count, L_BMF *font) {
    const double side = (double)larger(pixGetWidth(page), pixGetHeight(page));
    const double scale = side > MOST_SIDE ? MOST_SIDE / side : side < 200 ? 200 / side : 1;
    PIX *colour = pixConvertTo32(page), *scaled = pixScale(colour, (l_float32)scale, (l_float32)scale);
    for (int i = 0; scaled && i < count; i++)
        draw_box(scaled, scale, &boxes[i], font);
    pixDestroy(&colour);
    return scaled;
}

/* Adds the pages of a picture; *boxes and *count move on past theirs. */
static StatusCode add_picture(const char *path, int picture, const AnnotatedBox **boxes, int *count,
                              L_BMF *font, PIXA *drawn, int64_t *pixels, Status *status) {
    PictureFile *file = picture_open(path, status);
    for (int p = 0; file && p < picture_pages(file) && !status->code; p++) {
        int own = 0;
        PIX *page = NULL;
        Status unread = {0}; /* which reading it told */
        while (own < *count && (*boxes)[own].place.picture == picture && (*boxes)[own].place.page == p)
            own++;
        if (!picture_page(file, p, PAPER_FOUND, &page, &unread)) {
            PIX *done = draw_page(page, *boxes, own, font);
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
    L_BMF *font = bmfCreate(NULL, 10);
    PIXA *drawn = pixaCreate(pictures);
    const int kept = picture_silence();
    for (int i = 0; i < pictures && !status->code; i++)
        if (pages[i] > 0) add_picture(paths[i], i, &boxes, &count, font, drawn, &pixels, status);
    picture_unsilence(kept);
    if (!status->code) {
        PIX *whole =
            pixaGetCount(drawn) ? pixaDisplayTiledInColumns(drawn, 1, 1.0f, GAP, 0) : pixCreate(64, 64, 8);
        sheet_write_picture(out, whole, status);
        pixDestroy(&whole);
    }
    pixaDestroy(&drawn);
    bmfDestroy(&font);
    return status->code;
}
