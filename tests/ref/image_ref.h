/* Naive images in double precision, to compare the program's with. */
#ifndef PARDIGITS_TESTS_REF_IMAGE_REF_H
#define PARDIGITS_TESTS_REF_IMAGE_REF_H

#include "store/image_set.h"

#include <stdint.h>

/* Value at (x, y), column and row, of image [height][width] between its pixels; 0 outside. */
double image_ref_bilinear(ImageSpec spec, const uint8_t *image, double x, double y);

typedef struct {
    double mass, mean_x, mean_y, var_y, cov_xy;
} ImageRefMoments;

ImageRefMoments image_ref_moments(ImageSpec spec, const uint8_t *image);

/* The sheared image, before it is rounded. */
void image_ref_deskew(ImageSpec spec, const uint8_t *image, double *out);

/* gradient_features [height / 4][width / 4][16], then zeros, before they are rounded. */
void image_ref_gradient(ImageSpec spec, const uint8_t *image, double *out);

#endif
