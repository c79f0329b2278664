/* Random smooth distortions of an image. Private to src/data. */
#ifndef PARDIGITS_DATA_ELASTIC_H
#define PARDIGITS_DATA_ELASTIC_H

#include "data/augment.h"
#include "store/image_set.h"

#include <stdint.h>

/* How far from a pixel its value is taken. */
typedef struct {
    float x[PIXELS_MAX], y[PIXELS_MAX]; /* [height][width] pixels */
} Displacement;

/* Draws the distortion of a key: in x and in y white noise smoothed by a Gaussian of standard
 * deviation `sigma` pixels, at least ELASTIC_SIGMA_MIN (Simard, Steinkraus, Platt, "Best practices for
 * convolutional neural networks", ICDAR 2003), of root mean square `amplitude` pixels. The noise lies on a
 * coarse lattice and the Gaussian is a cubic B-spline of the same deviation, which takes a few thousand
 * operations instead of a million. */
void elastic_draw(float amplitude, float sigma, ImageSpec spec, AugmentKey key, Displacement *out);

#endif
