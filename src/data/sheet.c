#include "data/sheet.h"
#include "core/integers.h"
#include "data/caption.h"
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
    LEAST_COLUMN = 84    /* pixels, for captions below small images */
};

static void draw_image(PIX *sheet, int left, int top, ImageSpec spec, const uint8_t *image) {
    for (int y = 0; y < ZOOM * spec.height; y++)
        for (int x = 0; x < ZOOM * spec.width; x++)
            pixSetPixel(sheet, left + x, top + y, 255u - image[y / ZOOM * spec.width + x / ZOOM]);
}

static int text_width(L_BMF *font, const char *text) {
    l_int32 width = 0;
    return *text && !bmfGetStringWidth(font, text, &width) ? width : 0;
}

/* Centred in a column of so many pixels, with as much of the name as fits before the end. */
static void draw_caption(PIX *sheet, int left, int column, int baseline, L_BMF *font,
                         const SheetCaption *caption) {
    char name[sizeof caption->name], end[sizeof caption->end], text[sizeof name + sizeof end];
    caption_safe(caption->name, name, sizeof name);
    caption_safe(caption->end, end, sizeof end);
    int width = 0;
    for (size_t length = strlen(name) + 1; length-- > 0;) {
        snprintf(text, sizeof text, "%.*s%s", (int)length, name, end);
        width = text_width(font, text);
        if (width <= column) break;
    }
    if (*text) pixSetTextline(sheet, font, text, 0, left + (column - width) / 2, baseline, NULL, NULL);
}

static PIX *draw_sheet(const ImageSet *set, int columns, const SheetCaption *captions) {
    const int cell_height = ZOOM * set->spec.height, image_width = ZOOM * set->spec.width;
    const int cell_width = captions ? (int)larger(image_width, LEAST_COLUMN) : image_width;
    const int pitch = cell_width + GAP, row_height = cell_height + GAP + (captions ? CAPTION_HEIGHT : 0);
    const int64_t rows = divide_up(set->n, columns), pixels = image_spec_pixels(set->spec);
    if (rows > (INT32_MAX - GAP) / row_height || columns > (INT32_MAX - GAP) / pitch) return NULL;
    PIX *sheet = pixCreate(columns * pitch + GAP, (int)rows * row_height + GAP, 8);
    if (!sheet) return NULL;
    pixSetAll(sheet);
    L_BMF *font = captions ? bmfCreate(NULL, FONT_SIZE) : NULL;
    for (int64_t i = 0; i < set->n; i++) {
        int left = GAP + (int)(i % columns) * pitch, top = GAP + (int)(i / columns) * row_height;
        draw_image(sheet, left + (cell_width - image_width) / 2, top, set->spec, set->images + i * pixels);
        if (captions)
            draw_caption(sheet, left, cell_width, top + cell_height + CAPTION_HEIGHT - 5, font, &captions[i]);
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

StatusCode sheet_write(const char *path, const ImageSet *set, int columns, const SheetCaption *captions,
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
