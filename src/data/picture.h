/* Decoding of picture files: from a path, or "-" for standard input, to pages of grey or colour. Not
 * collective; several threads may each have a file of their own. Private to src/data. */
#ifndef PARDIGITS_DATA_PICTURE_H
#define PARDIGITS_DATA_PICTURE_H

#include "core/status.h"
#include "store/image_set.h"

#include <allheaders.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct PictureFile PictureFile;

/* What shows where a picture is transparent. */
typedef enum {
    PAPER_FOUND, /* the ground of what is opaque or, where that is ink alone, white under dark ink and black
                    under light ink: for ink that is looked for */
    PAPER_WHITE  /* the same under all pictures, as browsers show them */
} PicturePaper;

/* Reads a file's bytes, recognises its format and counts its pages; nothing is decoded. NULL after a failure:
 * not readable, not a picture, a format that isn't supported (PDF, HEIC, an animation, ...), damaged, or more
 * pixels than the program decodes. Destroyed by picture_close. */
PictureFile *picture_open(const char *path, Status *status);
void picture_close(PictureFile **file);

/* Width times height of its largest page. */
int64_t picture_pixels(const PictureFile *file);

/* 1, except for a TIFF of several pages and binary PNM pictures one after another. */
int picture_pages(const PictureFile *file);

/* Page 0, 1, ..., upright, as 8-bit grey or 32-bit RGB; where it is transparent, the paper shows. Destroyed
 * by the caller (pixDestroy). A failure calls one page of several FILE[2]. */
StatusCode picture_page(PictureFile *file, int page, PicturePaper paper, PIX **pix, Status *status);

/* Grey from such a page: as the eye sees it, unless the ink differs from its ground in colour more than in
 * brightness; then the channel in which it shows best. Destroyed by the caller. */
PIX *picture_grey(PIX *page);

/* The first page of the picture at path as 8-bit grey, by picture_grey. Destroyed by the caller. */
StatusCode picture_read(const char *path, PIX **grey, Status *status);

/* The same, of a coloured one the luminance, on white paper. */
StatusCode picture_read_luminance(const char *path, PIX **grey, Status *status);

/* The same, and how many pages there are. */
StatusCode picture_read_first(const char *path, PIX **grey, int *pages, Status *status);

/* The same of a page. */
PIX *picture_luminance(PIX *page);

/* A grey picture stretched to the image [height][width] of a spec, dark as light where that says so, or
 * taken as it is where it has that shape. False if it can't be. */
bool picture_stretch(PIX *grey, ImageSpec spec, uint8_t *image);

/* The decoders print lines of their own: these stop them for the whole process, and let it print again. Not
 * thread-safe. */
int picture_silence(void);
void picture_unsilence(int kept);

#endif
