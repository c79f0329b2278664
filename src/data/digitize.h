/* Pictures of one's own, made into images as a model expects them. */
#ifndef PARDIGITS_DATA_DIGITIZE_H
#define PARDIGITS_DATA_DIGITIZE_H

#include "core/status.h"
#include "store/image_set.h"

#include <stdint.h>

/* Reads a picture (its first page; any format of data/picture.h, any size and colour; dark on light or light
 * on dark) that holds one digit, and makes of it an image [height][width] as MNIST's makers did: scaled to
 * fit 20/28 of either side with its proportions kept, centred by mass. STATUS_FAILED if it can't be read or
 * is empty. */
StatusCode digitize_picture(const char *path, ImageSpec spec, uint8_t *image, Status *status);

#endif
