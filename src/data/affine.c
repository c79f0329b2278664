#include "data/affine.h"

#include <math.h>
#include <string.h>

/* The image with two rows and columns of zeros on each side: any 2x2 pixels outside read as the outermost
 * ones. */
enum { BORDER = 2, MOST_PADDED = (SIDE_MAX + 2 * BORDER) * (SIDE_MAX + 2 * BORDER) };

/* Clamped as an integer, not as a float, to keep the sampling loop free of branches and so vector code. */
static inline int clamp_index(int i, int side) {
    i = i < 0 ? 0 : i;
    return i > side + 2 * BORDER - 2 ? side + 2 * BORDER - 2 : i;
}

static inline float value_at(const float *padded, int height, int width, float x, float y) {
    const int stride = width + 2 * BORDER;
    float left = floorf(x), top = floorf(y);
    float right_share = x - left, lower_share = y - top;
    int at = clamp_index((int)top + BORDER, height) * stride + clamp_index((int)left + BORDER, width);
    int below = at + stride;
    float upper = padded[at] + right_share * (padded[at + 1] - padded[at]);
    float lower = padded[below] + right_share * (padded[below + 1] - padded[below]);
    return upper + lower_share * (lower - upper);
}

__attribute__((always_inline)) static inline void sample(const Affine *map, const Displacement *displacement,
                                                         int height, int width, const uint8_t *image,
                                                         float *out) {
    const int stride = width + 2 * BORDER;
    float padded[MOST_PADDED];
    memset(padded, 0, (size_t)((height + 2 * BORDER) * stride) * sizeof *padded);
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++)
            padded[(row + BORDER) * stride + column + BORDER] = image[row * width + column];

    const Affine source = *map; /* a copy, which `out` can't alias */
    float along_x[SIDE_MAX], along_y[SIDE_MAX];
    for (int column = 0; column < width; column++) {
        along_x[column] = source.xx * (float)column;
        along_y[column] = source.yx * (float)column;
    }
    for (int row = 0; row < height; row++) {
        float first_x = source.xy * (float)row + source.x0, first_y = source.yy * (float)row + source.y0;
        float x[SIDE_MAX], y[SIDE_MAX];
        for (int column = 0; column < width; column++) {
            x[column] = along_x[column] + first_x;
            y[column] = along_y[column] + first_y;
        }
        for (int column = 0; displacement && column < width; column++) {
            x[column] += displacement->x[row * width + column];
            y[column] += displacement->y[row * width + column];
        }
        for (int column = 0; column < width; column++)
            out[row * width + column] = value_at(padded, height, width, x[column], y[column]);
    }
}

void affine_sample(const Affine *map, const Displacement *displacement, ImageSpec spec, const uint8_t *image,
                   float *out) {
    /* constants make fast loops */
    if (spec.height == 28 && spec.width == 28)
        sample(map, displacement, 28, 28, image, out);
    else
        sample(map, displacement, spec.height, spec.width, image, out);
}
