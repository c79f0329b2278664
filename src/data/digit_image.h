/* The normalisation of MNIST's makers. Private to src/data. */
#ifndef PARDIGITS_DATA_DIGIT_IMAGE_H
#define PARDIGITS_DATA_DIGIT_IMAGE_H

#include "store/image_set.h"

#include <allheaders.h>
#include <stdint.h>

/* Pixels of a line that a digit fills: MNIST's are a box of 20x20 in 28x28. */
int digit_box(int pixels);

/* Makes the image [height][width] of a digit that fills its picture (light ink on black): scaled to the box
 * with its proportions kept, centred by mass, its strongest pixel at 255. */
void digit_image(PIX *digit, ImageSpec spec, uint8_t *image);

#endif
