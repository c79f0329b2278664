/* Pictures of one's own, made into images as a model expects them. */
#ifndef PARDIGITS_DATA_DIGITIZE_H
#define PARDIGITS_DATA_DIGITIZE_H

#include "core/status.h"
#include "store/dataset.h"

#include <stdint.h>

/* Reads a picture (PNG, JPEG, PNM; any size and colour; dark on light or light on dark) that holds one digit,
 * and makes of it what MNIST's makers did: scaled to fit 20x20 with its proportions kept, centred by mass in
 * 28x28. STATUS_FAILED if it can't be read or is empty. */
StatusCode digitize_picture(const char *path, uint8_t image[IMAGE_PIXELS], Status *status);

#endif
