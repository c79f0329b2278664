#include "data/sheet.h"
#include "store/atomic_file.h"

#include <allheaders.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    ZOOM = 3,
    GAP = 10,            /* between cells and around them */
    FONT_SIZE = 4,       /* the smallest of the fonts inside leptonica */
    CAPTION_HEIGHT = 20, /* pixels, below each image */
    MAX_CAPTION = 64
};

static void draw_image(PIX *sheet, int left, int top, ImageSpec spec, const uint8_t *image) {
    for (int y = 0; y < ZOOM * spec.height; y++)
        for (int x = 0; x < ZOOM * spec.width; x++)
            pixSetPixel(sheet, left + x, top + y, 255u - image[y / ZOOM * spec.width + x / ZOOM]);
}

/* Centred below an image of so many columns; as much of it as fits. */
static void draw_caption(PIX *sheet, int left, int columns, int baseline, L_BMF *font, const char *caption) {
    char text[MAX_CAPTION];
    snprintf(text, sizeof text, "%s", caption);
    l_int32 width = 0;
    size_t length = strlen(text);
    while (length > 0 && !bmfGetStringWidth(font, text, &width) && width > columns)
        text[--length] = 0;
    if (length > 0) pixSetTextline(sheet, font, text, 0, left + (columns - width) / 2, baseline, NULL, NULL);
}

static PIX *draw_sheet(const ImageSet *set, int columns, char *const *captions) {
    const int cell_height = ZOOM * set->spec.height, cell_width = ZOOM * set->spec.width;
    const int pitch = cell_width + GAP, row_height = cell_height + GAP + (captions ? CAPTION_HEIGHT : 0);
    const int64_t rows = (set->n + columns - 1) / columns, pixels = image_spec_pixels(set->spec);
    if (rows > (INT32_MAX - GAP) / row_height || columns > (INT32_MAX - GAP) / pitch) return NULL;
    PIX *sheet = pixCreate(columns * pitch + GAP, (int)rows * row_height + GAP, 8);
    if (!sheet) return NULL;
    pixSetAll(sheet);
    L_BMF *font = captions ? bmfCreate(NULL, FONT_SIZE) : NULL;
    for (int64_t i = 0; i < set->n; i++) {
        int left = GAP + (int)(i % columns) * pitch, top = GAP + (int)(i / columns) * row_height;
        draw_image(sheet, left, top, set->spec, set->images + i * pixels);
        if (captions)
            draw_caption(sheet, left, cell_width, top + cell_height + CAPTION_HEIGHT - 5, font, captions[i]);
    }
    bmfDestroy(&font);
    return sheet;
}

typedef struct {
    l_uint8 *bytes;
    size_t count;
} EncodedPicture;

static void write_encoded(FILE *file, const void *context) {
    const EncodedPicture *png = context;
    fwrite(png->bytes, 1, png->count, file);
}

StatusCode sheet_write_picture(const char *path, PIX *picture, Status *status) {
    EncodedPicture png = {0};
    if (!picture || pixWriteMem(&png.bytes, &png.count, picture, IFF_PNG))
        status_set(status, STATUS_FAILED, "%s can't be drawn: the picture is too large.", path);
    else
        atomic_file_write(path, write_encoded, &png, status);
    lept_free(png.bytes);
    return status->code;
}

StatusCode sheet_write(const char *path, const ImageSet *set, int columns, char *const *captions,
                       Status *status) {
    setMsgSeverity(L_SEVERITY_NONE);
    PIX *sheet = draw_sheet(set, columns, captions);
    if (!sheet)
        status_set(status, STATUS_FAILED,
                   "%s can't be drawn: %" PRId64 " images in %d columns make no picture; choose others.",
                   path, set->n, columns);
    else
        sheet_write_picture(path, sheet, status);
    pixDestroy(&sheet);
    return status->code;
}
