#include "data/elastic.h"

#include "core/rng.h"

#include <math.h>
#include <string.h>

enum {
    MAX_POINTS = 22, /* lattice points on a side: (SIDE_MAX - 1) / (sqrt(3) * ELASTIC_SIGMA_MIN) + 4 */
    FIRST_DRAW = 16, /* those below are for the affine part */
};

/* Mean over positions of the sum of a cubic B-spline's squared weights at a distance of whole lattice steps.
 */
#define MEAN_SQUARED_WEIGHTS (151.0 / 315)

/* The cubic B-spline on lattice points `spacing` pixels apart: pixel p takes weight[k][p] of lattice point
 * first[p] + k. Its deviation is spacing / sqrt(3). */
typedef struct {
    int points; /* in a line of pixels */
    int first[SIDE_MAX];
    float weight[4][SIDE_MAX];
} Spline;

static Spline spline_new(float sigma, int pixels) {
    const float spacing = sqrtf(3) * sigma;
    Spline spline;
    spline.points = (int)((float)(pixels - 1) / spacing) + 4;
    for (int p = 0; p < pixels; p++) {
        float at = (float)p / spacing, cell = floorf(at), u = at - cell, v = 1 - u;
        spline.first[p] = (int)cell;
        spline.weight[0][p] = v * v * v / 6;
        spline.weight[1][p] = (4 - 6 * u * u + 3 * u * u * u) / 6;
        spline.weight[2][p] = (4 - 6 * v * v + 3 * v * v * v) / 6;
        spline.weight[3][p] = u * u * u / 6;
    }
    return spline;
}

/* The splines of an image's rows and columns. */
typedef struct {
    Spline down, across;
} Lattice;

/* out [height][width] from the values of the lattice points: along rows first, then along columns. */
__attribute__((always_inline)) static inline void smooth(const Lattice *lattice, int height, int width,
                                                         float points[MAX_POINTS][MAX_POINTS], float *out) {
    const Spline *across = &lattice->across, *down = &lattice->down;
    float rows[MAX_POINTS][SIDE_MAX];
    for (int r = 0; r < down->points; r++) {
        memset(rows[r], 0, (size_t)width * sizeof(float));
        for (int x = 0; x < width; x++)
            for (int k = 0; k < 4; k++)
                rows[r][x] += across->weight[k][x] * points[r][across->first[x] + k];
    }
    for (int y = 0; y < height; y++) {
        const float(*from)[SIDE_MAX] = (const float(*)[SIDE_MAX])rows + down->first[y];
        const float w0 = down->weight[0][y], w1 = down->weight[1][y], w2 = down->weight[2][y],
                    w3 = down->weight[3][y];
        for (int x = 0; x < width; x++)
            out[y * width + x] = w0 * from[0][x] + w1 * from[1][x] + w2 * from[2][x] + w3 * from[3][x];
    }
}

static void smooth_points(const Lattice *lattice, ImageSpec spec, float points[MAX_POINTS][MAX_POINTS],
                          float *out) {
    /* constants make fast loops */
    if (spec.height == 28 && spec.width == 28)
        smooth(lattice, 28, 28, points, out);
    else
        smooth(lattice, spec.height, spec.width, points, out);
}

void elastic_draw(float amplitude, float sigma, ImageSpec spec, AugmentKey key, Displacement *out) {
    const Lattice lattice = {spline_new(sigma, spec.height), spline_new(sigma, spec.width)};
    /* 16-bit numbers, uniform in [-2^15, 2^15), have the deviation 2^15 / sqrt(3) */
    const float unit = (float)((double)amplitude * sqrt(3.0) / (MEAN_SQUARED_WEIGHTS * 0x1p15));
    float x[MAX_POINTS][MAX_POINTS], y[MAX_POINTS][MAX_POINTS];
    uint32_t bits[4];
    for (int i = 0; i < lattice.down.points * lattice.across.points; i++) {
        if (i % 4 == 0)
            rng_u32x4((RngKey){key.seed, RNG_AUGMENT}, key.epoch, key.sample, (uint32_t)(FIRST_DRAW + i / 4),
                      bits);
        int row = i / lattice.across.points, column = i % lattice.across.points;
        x[row][column] = unit * (float)(int16_t)(bits[i % 4] & 0xffff);
        y[row][column] = unit * (float)(int16_t)(bits[i % 4] >> 16);
    }
    smooth_points(&lattice, spec, x, out->x);
    smooth_points(&lattice, spec, y, out->y);
}
