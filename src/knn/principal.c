#include "knn/principal.h"

#include "core/mem.h"
#include "core/rng.h"
#include "kernels/pixdot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 4096, ROUNDS = 8 };

/* Covariance of evenly spread rows, times a constant: [columns][columns]. */
static double *covariance(const uint8_t *pixels, int64_t rows, int columns) {
    const int64_t n = rows < SAMPLE ? rows : SAMPLE;
    uint8_t *transposed = mem_new((size_t)columns, (size_t)n);
    double *means = mem_new((size_t)columns, sizeof *means);
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *row = pixels + i * rows / n * columns;
        for (int c = 0; c < columns; c++) {
            transposed[c * n + i] = row[c];
            means[c] += (double)row[c] / (double)n;
        }
    }
    PixRows packed = pix_rows_new(transposed, columns, (int)n);
    int32_t *products = mem_new((size_t)columns * (size_t)columns, sizeof *products);
    double *result = mem_new((size_t)columns * (size_t)columns, sizeof *result);
    pixdot_block(&packed, 0, columns, &packed, 0, columns, products, columns);
    for (int64_t i = 0; i < (int64_t)columns * columns; i++)
        result[i] = products[i] / (double)n - means[i / columns] * means[i % columns];
    mem_free(products);
    pix_rows_free(&packed);
    mem_free(means);
    mem_free(transposed);
    return result;
}

static double dot(const double *a, const double *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Gram and Schmidt's way, twice for accuracy. A row that vanishes becomes zero. */
static void orthonormalize(double *rows, int count, int columns) {
    for (int i = 0; i < count; i++) {
        double *row = rows + (int64_t)i * columns;
        for (int pass = 0; pass < 2; pass++) {
            for (int j = 0; j < i; j++) {
                const double *other = rows + (int64_t)j * columns, share = dot(row, other, columns);
                for (int c = 0; c < columns; c++)
                    row[c] -= share * other[c];
            }
            const double length = sqrt(dot(row, row, columns));
            for (int c = 0; c < columns; c++)
                row[c] = length > 1e-9 ? row[c] / length : 0;
        }
    }
}

/* next = axes * matrix, which is symmetric. */
static void multiply(const double *axes, int count, const double *matrix, int columns, int threads,
                     double *next) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int i = 0; i < count; i++) {
        double *sum = next + (int64_t)i * columns;
        memset(sum, 0, (size_t)columns * sizeof *sum);
        for (int c = 0; c < columns; c++) {
            const double value = axes[(int64_t)i * columns + c], *row = matrix + (int64_t)c * columns;
            for (int j = 0; j < columns; j++)
                sum[j] += value * row[j];
        }
    }
}

void principal_axes(const uint8_t *pixels, int64_t rows, int columns, int count, int threads, int16_t *axes) {
    const size_t values = (size_t)count * (size_t)columns;
    double *matrix = covariance(pixels, rows, columns);
    double *now = mem_new(values, sizeof *now), *next = mem_new(values, sizeof *next);
    for (int i = 0; i < count; i++)
        for (int c = 0; c < columns; c += 4) {
            float normal[4];
            rng_normal4((RngKey){1, RNG_INIT}, 0, (uint64_t)i, (uint32_t)c, normal);
            for (int j = 0; j < 4 && c + j < columns; j++)
                now[(int64_t)i * columns + c + j] = (double)normal[j];
        }
    orthonormalize(now, count, columns);
    for (int round = 0; round < ROUNDS; round++) { /* orthogonal iteration */
        multiply(now, count, matrix, columns, threads, next);
        double *swap = now;
        now = next;
        next = swap;
        orthonormalize(now, count, columns);
    }
    for (size_t i = 0; i < values; i++)
        axes[i] = (int16_t)lrint(now[i] * PRINCIPAL_UNIT);
    mem_free(next);
    mem_free(now);
    mem_free(matrix);
}

int64_t principal_norm_bound(const int16_t *axes, int count, int columns) {
    int64_t bound = 1;
    for (int i = 0; i < count; i++) {
        int64_t sum = 0;
        for (int j = 0; j < count; j++) {
            int64_t product = 0;
            for (int c = 0; c < columns; c++)
                product += (int64_t)axes[(int64_t)i * columns + c] * axes[(int64_t)j * columns + c];
            sum += llabs(product);
        }
        bound = sum > bound ? sum : bound;
    }
    return bound;
}
