/* Images sampled through an affine map. Private to src/data. */
#ifndef PARDIGITS_DATA_AFFINE_H
#define PARDIGITS_DATA_AFFINE_H

#include "data/elastic.h"
#include "store/image_set.h"

#include <stdint.h>

/* Where a pixel of the result comes from: source column = xx * column + xy * row + x0, source row = yx *
 * column + yy * row + y0. Pixel centres have whole coordinates. */
typedef struct {
    float xx, xy, x0;
    float yx, yy, y0;
} Affine;

/* out [height][width], in [0, 255], from image [height][width]: bilinear, zeros outside. Whole coordinates
 * give a pixel's exact value. The displacement is added to where the map leads; NULL for none. */
void affine_sample(const Affine *source, const Displacement *displacement, ImageSpec spec,
                   const uint8_t *image, float *out);

#endif
