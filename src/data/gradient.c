#include "data/gradient.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIRECTIONS = GRADIENT_DIRECTIONS,
    CELL_PIXELS = 4, /* an image has a cell for each whole square of so many pixels */
    CELLS_MAX = SIDE_MAX / CELL_PIXELS,
    FAR = 12, /* half pixels from a cell's centre where its weights end */
};
_Static_assert(CELL_PIXELS *CELL_PIXELS == DIRECTIONS, "features take an image's place");

/* A Gaussian of deviation 1.8 pixels, by half pixels. */
static const int32_t gaussian[FAR] = {64, 62, 55, 45, 35, 24, 16, 10, 5, 3, 1, 1};

/* The weights of a line's pixels in its cells, whose centres are 3.5 pixels apart and as far from both ends.
 */
typedef struct {
    int cells;
    int32_t weight[SIDE_MAX][CELLS_MAX]; /* [pixel][cell] */
} Cells;

static Cells cells_of(int pixels) {
    Cells line = {.cells = pixels / CELL_PIXELS};
    for (int pixel = 0; pixel < pixels; pixel++)
        for (int cell = 0; cell < line.cells; cell++) {
            /* in quarters of a pixel, of which half pixels are left */
            const int distance = abs(4 * pixel - 2 * (pixels - 1) - 7 * (2 * cell - (line.cells - 1))) / 2;
            line.weight[pixel][cell] = distance < FAR ? gaussian[distance] : 0;
        }
    return line;
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
static void scale_features(const int32_t *sums, int count, uint8_t *features) {
    int32_t largest = 1;
    for (int i = 0; i < count; i++)
        if (sums[i] > largest) largest = sums[i];
    for (int i = 0; i < count; i++)
        features[i] = (uint8_t)(sqrt(sums[i] * (255.0 * 255.0) / largest) + 0.5);
}

/* How the images of a set are divided. */
typedef struct {
    ImageSpec spec;
    Cells down, across;
} Division;

/* sums [cells][DIRECTIONS] of row y, whose pixels begin at `at` in lines of `stride`. */
static void sum_row(const Division *division, const uint8_t *at, int stride, int32_t *sums) {
    const Cells *across = &division->across;
    memset(sums, 0, (size_t)(across->cells * DIRECTIONS) * sizeof *sums);
    for (int x = 0; x < division->spec.width; x++) {
        int32_t gradient[DIRECTIONS] = {0};
        add_pixel(at + x, stride, gradient);
        for (int cell = 0; cell < across->cells; cell++)
            for (int d = 0; d < DIRECTIONS; d++)
                sums[cell * DIRECTIONS + d] += across->weight[x][cell] * gradient[d];
    }
}

static void image_features(const Division *division, uint8_t *image) {
    const int height = division->spec.height, width = division->spec.width, stride = width + 2;
    const int row = division->across.cells * DIRECTIONS, count = division->down.cells * row;
    uint8_t padded[(SIDE_MAX + 2) * (SIDE_MAX + 2)] = {0};
    int32_t sums[PIXELS_MAX] = {0};
    for (int y = 0; y < height; y++)
        memcpy(padded + (1 + y) * stride + 1, image + y * width, (size_t)width);
    for (int y = 0; y < height; y++) {
        int32_t across[CELLS_MAX * DIRECTIONS];
        sum_row(division, padded + (1 + y) * stride + 1, stride, across);
        for (int cell = 0; cell < division->down.cells; cell++)
            for (int i = 0; i < row; i++)
                sums[cell * row + i] += division->down.weight[y][cell] * across[i];
    }
    scale_features(sums, count, image);
    memset(image + count, 0, (size_t)(height * width - count));
}

void gradient_features(ImageSpec spec, uint8_t *images, int64_t n, int threads) {
    const Division division = {spec, cells_of(spec.height), cells_of(spec.width)};
    const int64_t pixels = image_spec_pixels(spec);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < n; i++)
        image_features(&division, images + i * pixels);
}
