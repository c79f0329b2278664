#include "kernels/layers.h"

void dropout_apply(int64_t n, const float *in, const uint8_t *keep, float rate, float *out) {
    const float factor = 1 / (1 - rate);
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        out[i] = keep[i] ? in[i] * factor : 0;
}
