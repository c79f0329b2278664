#include "data/gradient.h"
#include "store/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELLS = GRADIENT_CELLS,
    DIRECTIONS = GRADIENT_DIRECTIONS,
    FAR = 12, /* half pixels from a cell's centre where its weights end */
};
_Static_assert(CELLS *CELLS *DIRECTIONS == IMAGE_PIXELS, "features take an image's place");

/* A Gaussian of deviation 1.8 pixels, by half pixels. Cells' centres are 3.5 pixels apart. */
static int32_t cell_weight(int cell, int pixel) {
    static const int32_t weights[FAR] = {64, 62, 55, 45, 35, 24, 16, 10, 5, 3, 1, 1};
    const int distance = abs(2 * pixel - (7 * cell + 6));
    return distance < FAR ? weights[distance] : 0;
}

/* Adds the gradient (x, y) to the two of 16 directions that it lies between, in parts that make it up as
 * vectors. In units of 1/8; of the factors, 167/64 is 1 / sin 22.5 degrees, 155/64 its cotangent and 118/64
 * 1 / (cos 22.5 - sin 22.5). */
static void add_gradient(int x, int y, int32_t into[DIRECTIONS]) {
    const bool steep = abs(y) > abs(x);
    const int32_t large = steep ? abs(y) : abs(x), small = steep ? abs(x) : abs(y);
    const int32_t excess = 64 * large - 155 * small; /* below 0: between 22.5 and 45 degrees from an axis */
    const int32_t middle = excess > 0 ? 167 * small : 118 * (large - small);
    const int directions[2] = {excess > 0 ? 0 : 2, 1};
    const int32_t parts[2] = {abs(excess) / 8, middle / 8};
    for (int i = 0; i < 2; i++) {
        const int quarter = steep ? DIRECTIONS / 4 - directions[i] : directions[i];
        const int half = x < 0 ? DIRECTIONS / 2 - quarter : quarter;
        into[(y < 0 ? DIRECTIONS - half : half) % DIRECTIONS] += parts[i];
    }
}

/* Sobel's operator at a pixel of an image with a border of zeros, whose lines are `line` apart. */
static void add_pixel(const uint8_t *at, int line, int32_t into[DIRECTIONS]) {
    const uint8_t *above = at - line, *below = at + line;
    const int x = above[1] + 2 * at[1] + below[1] - above[-1] - 2 * at[-1] - below[-1];
    const int y = below[-1] + 2 * below[0] + below[1] - above[-1] - 2 * above[0] - above[1];
    if (x || y) add_gradient(x, y, into);
}

/* Square roots, with 255 for the largest. */
static void scale_features(const int32_t sums[IMAGE_PIXELS], uint8_t *features) {
    int32_t largest = 1;
    for (int i = 0; i < IMAGE_PIXELS; i++)
        if (sums[i] > largest) largest = sums[i];
    for (int i = 0; i < IMAGE_PIXELS; i++)
        features[i] = (uint8_t)(sqrt(sums[i] * (255.0 * 255.0) / largest) + 0.5);
}

static void image_features(uint8_t *image) {
    enum { SIDE = IMAGE_SIDE + 2, ROW = CELLS * DIRECTIONS };
    uint8_t padded[SIDE * SIDE] = {0};
    int32_t sums[CELLS * ROW] = {0};
    for (int y = 0; y < IMAGE_SIDE; y++)
        memcpy(padded + (1 + y) * SIDE + 1, image + y * IMAGE_SIDE, IMAGE_SIDE);
    for (int y = 0; y < IMAGE_SIDE; y++) {
        int32_t across[ROW] = {0};
        for (int x = 0; x < IMAGE_SIDE; x++) {
            int32_t gradient[DIRECTIONS] = {0};
            add_pixel(padded + (1 + y) * SIDE + 1 + x, SIDE, gradient);
            for (int cell = 0; cell < CELLS; cell++)
                for (int d = 0; d < DIRECTIONS; d++)
                    across[cell * DIRECTIONS + d] += cell_weight(cell, x) * gradient[d];
        }
        for (int cell = 0; cell < CELLS; cell++)
            for (int i = 0; i < ROW; i++)
                sums[cell * ROW + i] += cell_weight(cell, y) * across[i];
    }
    scale_features(sums, image);
}

void gradient_features(uint8_t *images, int64_t n) {
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        image_features(images + i * IMAGE_PIXELS);
}
