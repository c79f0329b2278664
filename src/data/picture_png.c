#include "data/picture_format.h"

#include "core/mem.h"

#include <png.h>
#include <stdbool.h>

enum { MOST_SIDE = 1000000 }; /* of what libpng reads */

/* By the width and height in the header, which directly follow the signature, a length and a name. */
static bool is_too_long(const PictureBytes *file) {
    for (size_t at = 16; at < 24 && file->size >= 24; at += 4) {
        const uint8_t *bytes = file->bytes + at;
        const uint32_t side =
            (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
        if (side > MOST_SIDE && side <= INT32_MAX) return true;
    }
    return false;
}

/* libpng's own words, of what it doesn't do and of a file that is broken, don't differ in kind: it takes
 * every valid PNG of such sides, so a refusal means damage. */
static bool begin(const PictureBytes *file, png_image *image) {
    *image = (png_image){.version = PNG_IMAGE_VERSION};
    return png_image_begin_read_from_memory(image, file->bytes, file->size) != 0;
}

StatusCode png_measure(const PictureBytes *file, PictureSize *size, Status *status) {
    png_image image;
    if (is_too_long(file))
        return status_set(status, STATUS_FAILED,
                          "%s has more than %d pixels in a row or column; scale it down.", file->path,
                          MOST_SIDE);
    if (!begin(file, &image)) return picture_damaged(file, status);
    *size = (PictureSize){.width = image.width, .height = image.height, .pages = 1};
    png_image_free(&image);
    return status->code;
}

/* Words of a PIX hold red in their highest byte, whatever the machine's order of bytes. */
static PIX *pix_of_rgba(const uint8_t *rgba, int width, int height) {
    PIX *pix = pixCreate(width, height, 32);
    if (!pix) return NULL;
    pixSetSpp(pix, 4);
    l_uint32 *words = pixGetData(pix);
    for (int64_t i = 0; i < (int64_t)width * height; i++, rgba += 4)
        words[i] = (l_uint32)rgba[0] << 24 | (l_uint32)rgba[1] << 16 | (l_uint32)rgba[2] << 8 | rgba[3];
    return pix;
}

PIX *png_decode(const PictureBytes *file, uint64_t place, Status *status) {
    (void)place;
    png_image image;
    PIX *pix = NULL;
    if (begin(file, &image)) {
        image.format = PNG_FORMAT_RGBA;
        image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* 16 bits without gAMA are as bright as 8 */
        uint8_t *rgba = mem_new(PNG_IMAGE_SIZE(image), 1);
        if (png_image_finish_read(&image, NULL, rgba, 0, NULL))
            pix = pix_of_rgba(rgba, (int)image.width, (int)image.height);
        png_image_free(&image);
        mem_free(rgba);
    }
    if (!pix) picture_damaged(file, status);
    return pix;
}
