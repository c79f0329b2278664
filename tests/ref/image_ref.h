/* Naive images in double precision, to compare the program's with. */
#ifndef PARDIGITS_TESTS_REF_IMAGE_REF_H
#define PARDIGITS_TESTS_REF_IMAGE_REF_H

#include <stdint.h>

/* Value at (x, y), column and row, of image [28][28] between its pixels; 0 outside. */
double image_ref_bilinear(const uint8_t *image, double x, double y);

typedef struct {
    double mass, mean_x, mean_y, var_y, cov_xy;
} ImageRefMoments;

ImageRefMoments image_ref_moments(const uint8_t *image);

/* The sheared image, before it is rounded. */
void image_ref_deskew(const uint8_t *image, double *out);

/* gradient_features [7][7][16] before they are rounded. */
void image_ref_gradient(const uint8_t *image, double *out);

#endif
