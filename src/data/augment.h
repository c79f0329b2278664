/* Random distortions of training images. */
#ifndef PARDIGITS_DATA_AUGMENT_H
#define PARDIGITS_DATA_AUGMENT_H

#include "store/image_set.h"

#include <stdint.h>

#define ELASTIC_SIGMA_MIN 2 /* pixels */

/* Random changes of one training image, drawn for its key. */
typedef struct {
    float shift_pixels; /* up to so far in x and in y, uniform */
    float rotate_deg;   /* up to this angle either way, uniform */
    float zoom;         /* scale factor uniform in [1 - zoom, 1 + zoom] */
    float shear_deg;    /* slant of upright lines, up to this angle either way, uniform; below 90 */
    float elastic_pixels, elastic_sigma; /* smooth random displacement: root mean square in x and in y, and
                                            the deviation of the Gaussian that smooths it */
    float stretch;   /* up to 1 + stretch times as wide and as low, or as narrow and as high, as likely */
    float thickness; /* pixels go up to this share of their way to the largest or, as likely, the least of
                        their own value and their four neighbours': a dilation or erosion (Serra 1982) */
} Augmentation;

/* What the random numbers of an image depend on. */
typedef struct {
    uint32_t seed, epoch;
    uint64_t sample; /* index in the training part */
} AugmentKey;

/* out [height][width] floats in [0,1] from image [height][width]: all changes of place in one bilinear
 * resampling, zeros outside; then thickness. With all of them 0 it is image / 255. */
void augment_image(const Augmentation *augmentation, ImageSpec spec, AugmentKey key, const uint8_t *image,
                   float *out);

#endif
