/* Pictures of one's own, made into images as a model expects them. Not collective; thread-safe but for
 * digitize_picture and digitize_silence. */
#ifndef PARDIGITS_DATA_DIGITIZE_H
#define PARDIGITS_DATA_DIGITIZE_H

#include "core/status.h"
#include "data/found_digits.h"
#include "store/image_set.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads a picture (its first page; any format of data/picture.h, any size and colour; dark on light or light
 * on dark) that holds one digit, and makes of it an image [height][width] as MNIST's makers did: scaled to
 * fit 20/28 of either side with its proportions kept, centred by mass; or stretches it, if spec.from says so.
 * STATUS_FAILED if it can't be read or is empty. */
StatusCode digitize_picture(const char *path, ImageSpec spec, uint8_t *image, Status *status);

/* Adds the digits of a picture, of all its pages, and gives their number; where single is set each page is
 * taken as one digit, as it is where found->spec.from says that images were made of whole pictures. 0 and
 * STATUS_FAILED if it can't be read. found->spec is set. */
int digitize_pages(const char *path, int picture, bool single, FoundDigits *found, Status *status);

/* Decoders print lines of their own: this stops them for the whole process, and lets it print again. Not
 * thread-safe. */
int digitize_silence(void);
void digitize_unsilence(int kept);

#endif
