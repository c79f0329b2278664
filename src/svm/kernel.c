#include "pardigits/exp32.h"
#include "pardigits/svm.h"

/* 8-bit pixels to [0,1], twice. */
static const double pixel_scale = 1.0 / (255.0 * 255.0);

enum { PIECE = 256 };

static void rbf_values(const SvmKernel *kernel, int32_t norm, const int32_t *restrict norms,
                       const int32_t *restrict dots, float *restrict out, int64_t n) {
    const double factor = -kernel->gamma * pixel_scale;
    for (int64_t first = 0; first < n; first += PIECE) {
        float exponent[PIECE];
        int64_t count = n - first < PIECE ? n - first : PIECE;
        for (int64_t k = 0; k < count; k++) {
            int32_t distance = norm + norms[first + k] - 2 * dots[first + k];
            exponent[k] = (float)(factor * (double)distance);
        }
        exp32(exponent, out + first, count);
    }
}

static void poly_values(const SvmKernel *kernel, const int32_t *restrict dots, float *restrict out,
                        int64_t n) {
    const double factor = kernel->gamma * pixel_scale, coef0 = kernel->coef0;
    for (int64_t first = 0; first < n; first += PIECE) {
        double base[PIECE], power[PIECE];
        int64_t count = n - first < PIECE ? n - first : PIECE;
        for (int64_t k = 0; k < count; k++)
            power[k] = base[k] = factor * (double)dots[first + k] + coef0;
        for (int d = 1; d < kernel->degree; d++)
            for (int64_t k = 0; k < count; k++)
                power[k] *= base[k];
        for (int64_t k = 0; k < count; k++)
            out[first + k] = (float)power[k];
    }
}

static void linear_values(const int32_t *restrict dots, float *restrict out, int64_t n) {
    for (int64_t k = 0; k < n; k++)
        out[k] = (float)(pixel_scale * (double)dots[k]);
}

void svm_kernel_values(const SvmKernel *kernel, int32_t norm, const int32_t *norms, const int32_t *dots,
                       float *out, int64_t n) {
    switch (kernel->type) {
    case SVM_RBF:
        rbf_values(kernel, norm, norms, dots, out, n);
        break;
    case SVM_POLY:
        poly_values(kernel, dots, out, n);
        break;
    case SVM_LINEAR:
        linear_values(dots, out, n);
        break;
    }
}
