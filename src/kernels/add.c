#include "kernels/layers.h"

/* Written so that NaN stays NaN. */
void add_forward(int64_t n, const float *a, const float *b, bool relu, float *out) {
    if (relu) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            out[i] = a[i] + b[i] < 0 ? 0 : a[i] + b[i];
    } else {
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            out[i] = a[i] + b[i];
    }
}
