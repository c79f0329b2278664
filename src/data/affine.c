#include "data/affine.h"

#include "store/dataset.h"

#include <math.h>
#include <string.h>

/* The image with two rows and columns of zeros on each side: any 2x2 pixels outside read as the outermost
 * ones. */
enum { BORDER = 2, PADDED_SIDE = IMAGE_SIDE + 2 * BORDER };

/* Clamped as an integer, not as a float, to keep the sampling loop free of branches and so vector code. */
static inline int clamp_index(int i) {
    i = i < 0 ? 0 : i;
    return i > PADDED_SIDE - 2 ? PADDED_SIDE - 2 : i;
}

static inline float value_at(const float *padded, float x, float y) {
    float left = floorf(x), top = floorf(y);
    float right_share = x - left, lower_share = y - top;
    int at = clamp_index((int)top + BORDER) * PADDED_SIDE + clamp_index((int)left + BORDER);
    int below = at + PADDED_SIDE;
    float upper = padded[at] + right_share * (padded[at + 1] - padded[at]);
    float lower = padded[below] + right_share * (padded[below + 1] - padded[below]);
    return upper + lower_share * (lower - upper);
}

void affine_sample(const Affine *map, const Displacement *displacement, const uint8_t *image, float *out) {
    float padded[PADDED_SIDE * PADDED_SIDE];
    memset(padded, 0, sizeof padded);
    for (int row = 0; row < IMAGE_SIDE; row++)
        for (int column = 0; column < IMAGE_SIDE; column++)
            padded[(row + BORDER) * PADDED_SIDE + column + BORDER] = image[row * IMAGE_SIDE + column];

    const Affine source = *map; /* a copy, which `out` can't alias */
    for (int row = 0; row < IMAGE_SIDE; row++) {
        float first_x = source.xy * (float)row + source.x0, first_y = source.yy * (float)row + source.y0;
        float x[IMAGE_SIDE], y[IMAGE_SIDE];
        for (int column = 0; column < IMAGE_SIDE; column++) {
            x[column] = source.xx * (float)column + first_x;
            y[column] = source.yx * (float)column + first_y;
        }
        for (int column = 0; displacement && column < IMAGE_SIDE; column++) {
            x[column] += displacement->x[row * IMAGE_SIDE + column];
            y[column] += displacement->y[row * IMAGE_SIDE + column];
        }
        for (int column = 0; column < IMAGE_SIDE; column++)
            out[row * IMAGE_SIDE + column] = value_at(padded, x[column], y[column]);
    }
}
