/* The decoders of single formats, from the bytes of a whole file. Private to src/data/picture*.c.
 *
 * A decoder returns NULL after a failure, with a sentence in status that begins with the path. What it
 * returns has 1 to 16 bits of grey, a colour map, or 32 bits of RGB, with alpha where pixGetSpp is 4. */
#ifndef PARDIGITS_DATA_PICTURE_FORMAT_H
#define PARDIGITS_DATA_PICTURE_FORMAT_H

#include "core/status.h"

#include <allheaders.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *path; /* for messages */
    size_t size;
    uint8_t *bytes; /* [size] */
} PictureBytes;

typedef struct {
    int64_t width, height; /* of the largest page */
    int pages;
    uint64_t *places; /* [pages] where each page begins in the file, or PICTURE_NOWHERE; NULL: one page, which
                         is the file. Freed by mem_free, also after a failure */
} PictureSize;

#define PICTURE_NOWHERE UINT64_MAX

/* What the header says; STATUS_FAILED where it is damaged or asks for what isn't supported. */
typedef StatusCode (*PictureMeasure)(const PictureBytes *file, PictureSize *size, Status *status);
/* Of the page that begins at `place`. */
typedef PIX *(*PictureDecode)(const PictureBytes *file, uint64_t place, Status *status);

/* By libpng: 1 to 16 bits, palettes, tRNS, interlaced. */
StatusCode png_measure(const PictureBytes *file, PictureSize *size, Status *status);
PIX *png_decode(const PictureBytes *file, uint64_t place, Status *status);

/* P1 to P6 of any maxval up to 65535; P4 to P6 also one after another in a file: our own, as leptonica's
 * reader knows only few of them. */
StatusCode pnm_measure(const PictureBytes *file, PictureSize *size, Status *status);
PIX *pnm_decode(const PictureBytes *file, uint64_t place, Status *status);

/* By libtiff: pages, orientation, and each kind that it converts to RGBA. */
StatusCode tiff_measure(const PictureBytes *file, PictureSize *size, Status *status);
PIX *tiff_decode(const PictureBytes *file, uint64_t place, Status *status);

/* By leptonica. */
StatusCode jpeg_measure(const PictureBytes *file, PictureSize *size, Status *status);
PIX *jpeg_decode(const PictureBytes *file, uint64_t place, Status *status);
StatusCode webp_measure(const PictureBytes *file, PictureSize *size, Status *status);
PIX *webp_decode(const PictureBytes *file, uint64_t place, Status *status);
StatusCode gif_measure(const PictureBytes *file, PictureSize *size, Status *status);
PIX *gif_decode(const PictureBytes *file, uint64_t place, Status *status);
StatusCode bmp_measure(const PictureBytes *file, PictureSize *size, Status *status);
PIX *bmp_decode(const PictureBytes *file, uint64_t place, Status *status);
StatusCode jp2_measure(const PictureBytes *file, PictureSize *size, Status *status);
PIX *jp2_decode(const PictureBytes *file, uint64_t place, Status *status);

/* What EXIF in a JPEG, PNG or WebP says of how the picture is held, 1 to 8; 1 where it says nothing. By
 * libexif. */
int exif_orientation(const PictureBytes *file);

/* Turns a stored picture upright: orientation 1 to 8 as in EXIF and TIFF; others change nothing. */
void picture_turn(PIX **pix, int orientation);

/* Adds a page to a size that was 0. */
void picture_add_page(PictureSize *size, int64_t width, int64_t height, uint64_t place);

/* Whether a picture, or a page of several, is one that the program decodes. */
StatusCode picture_check_size(const PictureBytes *file, int64_t width, int64_t height, Status *status);

/* The sentences that all decoders share. */
StatusCode picture_damaged(const PictureBytes *file, Status *status);
StatusCode picture_unsupported(const PictureBytes *file, const char *what, Status *status);

#endif
