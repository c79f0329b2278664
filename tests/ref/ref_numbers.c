#include "ref/ref_numbers.h"

#include "core/mem.h"
#include <math.h>

float ref_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(*state >> 32) * 0x1p-31f;
}

float *ref_random_array(int64_t n, uint64_t *state) {
    float *array = mem_new((size_t)n, sizeof *array);
    for (int64_t i = 0; i < n; i++)
        array[i] = ref_random(state);
    return array;
}

float *ref_nan_array(int64_t n) {
    float *array = mem_new((size_t)n, sizeof *array);
    for (int64_t i = 0; i < n; i++)
        array[i] = NAN;
    return array;
}

double *ref_doubles(const float *from, int64_t n) {
    double *array = mem_new((size_t)n, sizeof *array);
    for (int64_t i = 0; i < n; i++)
        array[i] = from[i];
    return array;
}

double ref_difference(const float *a, const double *b, int64_t n) {
    double largest = 0, scale = 1;
    for (int64_t i = 0; i < n; i++) {
        const double difference = fabs((double)a[i] - b[i]);
        if (!(difference < INFINITY)) return INFINITY;
        largest = fmax(largest, difference);
        scale = fmax(scale, fabs(b[i]));
    }
    return largest / scale;
}

double ref_gradient_error(double (*loss)(const double *x, void *context), void *context, double *x, int64_t n,
                          const double *gradient) {
    const double step = 1e-5;
    double largest = 0, scale = 1e-12;
    for (int64_t i = 0; i < n; i++) {
        const double kept = x[i];
        x[i] = kept + step;
        const double above = loss(x, context);
        x[i] = kept - step;
        const double below = loss(x, context);
        x[i] = kept;
        largest = fmax(largest, fabs((above - below) / (2 * step) - gradient[i]));
        scale = fmax(scale, fabs(gradient[i]));
    }
    return largest / scale;
}
