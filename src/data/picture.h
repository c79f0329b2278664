/* Decoding of pictures. Private to src/data. */
#ifndef PARDIGITS_DATA_PICTURE_H
#define PARDIGITS_DATA_PICTURE_H

#include "core/status.h"

#include <allheaders.h>

/* The PNG, JPEG or PNM at path as 8-bit grey, transparency on white; of a coloured one the channel that shows
 * most. Destroyed by the caller (pixDestroy). */
StatusCode picture_read(const char *path, PIX **grey, Status *status);

/* The same of a picture in any format that leptonica reads, of a coloured one the luminance. */
StatusCode picture_read_luminance(const char *path, PIX **grey, Status *status);

#endif
