#include "kernels/layers.h"

/* Written so that NaN stays NaN: it must reach the check that stops a diverging training. */
void relu_forward(int64_t n, const float *in, float *out) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        out[i] = in[i] < 0 ? 0 : in[i];
}

void relu_backward(int64_t n, const float *out, const float *out_grad, float *in_grad) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        in_grad[i] = out[i] > 0 ? out_grad[i] : 0;
}
