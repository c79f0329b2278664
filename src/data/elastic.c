#include "data/elastic.h"

#include "core/rng.h"

#include <math.h>

enum {
    WIDTH = 32,      /* of the rows of a field: whole vectors */
    MAX_POINTS = 12, /* lattice points on a side: (28 - 1) / (sqrt(3) * ELASTIC_SIGMA_MIN) + 4 */
    FIRST_DRAW = 16, /* those below are for the affine part */
};

/* Mean over positions of the sum of a cubic B-spline's squared weights at a distance of whole lattice steps.
 */
#define MEAN_SQUARED_WEIGHTS (151.0 / 315)

/* The cubic B-spline on lattice points `spacing` pixels apart: pixel p takes weight[k][p] of lattice point
 * first[p] + k. Its deviation is spacing / sqrt(3). */
typedef struct {
    int points; /* on a side */
    int first[IMAGE_SIDE];
    float weight[4][IMAGE_SIDE];
} Spline;

static Spline spline_new(float sigma) {
    const float spacing = sqrtf(3) * sigma;
    Spline spline = {.points = (int)((IMAGE_SIDE - 1) / spacing) + 4};
    for (int p = 0; p < IMAGE_SIDE; p++) {
        float at = (float)p / spacing, cell = floorf(at), u = at - cell, v = 1 - u;
        spline.first[p] = (int)cell;
        spline.weight[0][p] = v * v * v / 6;
        spline.weight[1][p] = (4 - 6 * u * u + 3 * u * u * u) / 6;
        spline.weight[2][p] = (4 - 6 * v * v + 3 * v * v * v) / 6;
        spline.weight[3][p] = u * u * u / 6;
    }
    return spline;
}

/* out [28][28] from the values of the lattice points: along rows first, then along columns. */
static void smooth(const Spline *spline, float points[MAX_POINTS][MAX_POINTS], float *out) {
    float rows[MAX_POINTS][WIDTH] = {0};
    for (int r = 0; r < spline->points; r++)
        for (int x = 0; x < IMAGE_SIDE; x++)
            for (int k = 0; k < 4; k++)
                rows[r][x] += spline->weight[k][x] * points[r][spline->first[x] + k];
    for (int y = 0; y < IMAGE_SIDE; y++) {
        const float(*from)[WIDTH] = (const float(*)[WIDTH])rows + spline->first[y];
        const float w0 = spline->weight[0][y], w1 = spline->weight[1][y], w2 = spline->weight[2][y],
                    w3 = spline->weight[3][y];
        for (int x = 0; x < IMAGE_SIDE; x++)
            out[y * IMAGE_SIDE + x] = w0 * from[0][x] + w1 * from[1][x] + w2 * from[2][x] + w3 * from[3][x];
    }
}

void elastic_draw(float amplitude, float sigma, uint32_t seed, uint32_t epoch, uint64_t sample,
                  Displacement *out) {
    const Spline spline = spline_new(sigma);
    /* 16-bit numbers, uniform in [-2^15, 2^15), have the deviation 2^15 / sqrt(3) */
    const float unit = (float)((double)amplitude * sqrt(3.0) / (MEAN_SQUARED_WEIGHTS * 0x1p15));
    float x[MAX_POINTS][MAX_POINTS], y[MAX_POINTS][MAX_POINTS];
    uint32_t bits[4];
    for (int i = 0; i < spline.points * spline.points; i++) {
        if (i % 4 == 0)
            rng_u32x4((RngKey){seed, RNG_AUGMENT}, epoch, sample, (uint32_t)(FIRST_DRAW + i / 4), bits);
        int row = i / spline.points, column = i % spline.points;
        x[row][column] = unit * (float)(int16_t)(bits[i % 4] & 0xffff);
        y[row][column] = unit * (float)(int16_t)(bits[i % 4] >> 16);
    }
    smooth(&spline, x, out->x);
    smooth(&spline, y, out->y);
}
