/* Small grey images for web pages. */
#ifndef PARDIGITS_DATA_IMAGE_PNG_H
#define PARDIGITS_DATA_IMAGE_PNG_H

#include "store/image_set.h"

/* An image [height][width] as a PNG, dark ink on white, in a URI "data:image/png;base64,...". Freed by
 * mem_free. */
char *image_png_uri(const uint8_t *image, ImageSpec spec);

#endif
