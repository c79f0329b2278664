#include "data/sheet.h"
#include "core/mem.h"
#include "store/atomic_file.h"
#include "store/dataset.h"

#include <allheaders.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    ZOOM = 3,
    CELL_SIDE = ZOOM * IMAGE_SIDE,
    GAP = 10,            /* between cells and around them */
    FONT_SIZE = 4,       /* the smallest of the fonts inside leptonica */
    CAPTION_HEIGHT = 20, /* pixels, below each image */
    MAX_CAPTION = 64
};

static void draw_image(PIX *sheet, int left, int top, const uint8_t *image) {
    for (int y = 0; y < CELL_SIDE; y++)
        for (int x = 0; x < CELL_SIDE; x++)
            pixSetPixel(sheet, left + x, top + y, 255u - image[y / ZOOM * IMAGE_SIDE + x / ZOOM]);
}

/* Centred below the image; as much of it as fits. */
static void draw_caption(PIX *sheet, int left, int baseline, L_BMF *font, const char *caption) {
    char text[MAX_CAPTION];
    snprintf(text, sizeof text, "%s", caption);
    l_int32 width = 0;
    size_t length = strlen(text);
    while (length > 0 && !bmfGetStringWidth(font, text, &width) && width > CELL_SIDE)
        text[--length] = 0;
    if (length > 0)
        pixSetTextline(sheet, font, text, 0, left + (CELL_SIDE - width) / 2, baseline, NULL, NULL);
}

static PIX *draw_sheet(const uint8_t *images, int64_t n, int columns, char *const *captions) {
    int pitch = CELL_SIDE + GAP, row_height = pitch + (captions ? CAPTION_HEIGHT : 0);
    int64_t rows = (n + columns - 1) / columns;
    if (rows > (INT32_MAX - GAP) / row_height || columns > (INT32_MAX - GAP) / pitch) return NULL;
    PIX *sheet = pixCreate(columns * pitch + GAP, (int)rows * row_height + GAP, 8);
    if (!sheet) return NULL;
    pixSetAll(sheet);
    L_BMF *font = captions ? bmfCreate(NULL, FONT_SIZE) : NULL;
    for (int64_t i = 0; i < n; i++) {
        int left = GAP + (int)(i % columns) * pitch, top = GAP + (int)(i / columns) * row_height;
        draw_image(sheet, left, top, images + i * IMAGE_PIXELS);
        if (captions) draw_caption(sheet, left, top + CELL_SIDE + CAPTION_HEIGHT - 5, font, captions[i]);
    }
    bmfDestroy(&font);
    return sheet;
}

static StatusCode write_whole(const char *path, const void *bytes, size_t size, Status *status) {
    char *temporary = atomic_file_temporary(path);
    FILE *file = fopen(temporary, "wb");
    bool written = file && fwrite(bytes, 1, size, file) == size;
    written = file && fclose(file) == 0 && written;
    if (!written) status_set(status, STATUS_FAILED, "%s can't be written: %s.", path, strerror(errno));
    atomic_file_commit(temporary, path, false, status);
    if (status->code) atomic_file_discard(temporary);
    mem_free(temporary);
    return status->code;
}

StatusCode sheet_write(const char *path, const uint8_t *images, int64_t n, int columns, char *const *captions,
                       Status *status) {
    setMsgSeverity(L_SEVERITY_NONE);
    PIX *sheet = draw_sheet(images, n, columns, captions);
    l_uint8 *png = NULL;
    size_t size = 0;
    if (!sheet || pixWriteMem(&png, &size, sheet, IFF_PNG))
        status_set(status, STATUS_FAILED,
                   "%s can't be drawn: %" PRId64 " images in %d columns make no picture; choose others.",
                   path, n, columns);
    else
        write_whole(path, png, size, status);
    pixDestroy(&sheet);
    lept_free(png);
    return status->code;
}
