#include "core/mem.h"
#include "kernels/exp32.h"
#include "svm/svm.h"

#include <math.h>

/* 8-bit pixels to [0,1], twice. */
static const double pixel_scale = 1.0 / (255.0 * 255.0);

enum { PIECE = 256 };

double *svm_kernel_inverses(const SvmKernel *kernel, const int32_t *norms, int64_t n) {
    if (!kernel->normalize) return NULL;
    double *inverses = mem_new((size_t)n, sizeof *inverses);
    for (int64_t i = 0; i < n; i++)
        inverses[i] = norms[i] ? 1 / sqrt((double)norms[i]) : 0;
    return inverses;
}

/* Cosines of the angles between rows. */
static void cosines(double inverse, const double *restrict inverses, const int32_t *restrict dots,
                    double *restrict out, int64_t n) {
    for (int64_t k = 0; k < n; k++)
        out[k] = (double)dots[k] * (inverse * inverses[k]);
}

/* A row without ink has no direction: it stays the zero vector, at distance 1 of rows of length 1. As
 * |u-v|^2 = 2 (1 - cosine) that is a cosine of 1/2, and 1 between two such rows. */
static void place_empty_rows(double inverse, const double *restrict inverses, double *restrict cosine,
                             int64_t n) {
    for (int64_t k = 0; k < n; k++) {
        const double empty = inverse == inverses[k] ? 1 : 0.5;
        cosine[k] = inverse == 0 || inverses[k] == 0 ? empty : cosine[k];
    }
}

static void rbf_values(const SvmKernel *kernel, SvmLengths one, SvmLengths others,
                       const int32_t *restrict dots, float *restrict out, int64_t n) {
    const double factor = -kernel->gamma * pixel_scale;
    float exponent[PIECE];
    if (kernel->normalize) {
        double cosine[PIECE];
        cosines(*one.inverses, others.inverses, dots, cosine, n);
        place_empty_rows(*one.inverses, others.inverses, cosine, n);
        for (int64_t k = 0; k < n; k++)
            exponent[k] = (float)(-2 * kernel->gamma * (1 - cosine[k]));
    } else {
        const int32_t norm = *one.norms, *restrict norms = others.norms;
        for (int64_t k = 0; k < n; k++)
            exponent[k] = (float)(factor * (double)(norm + norms[k] - 2 * dots[k]));
    }
    exp32(exponent, out, n);
}

/* power[k] = base[k]^degree, by squaring. */
static void raise_to(int degree, const double *restrict base, double *restrict power, int64_t n) {
    int bit = 1;
    while (2 * bit <= degree)
        bit *= 2;
    for (int64_t k = 0; k < n; k++)
        power[k] = base[k];
    for (bit /= 2; bit; bit /= 2)
        if (degree & bit)
            for (int64_t k = 0; k < n; k++)
                power[k] = power[k] * power[k] * base[k];
        else
            for (int64_t k = 0; k < n; k++)
                power[k] *= power[k];
}

static void poly_values(const SvmKernel *kernel, SvmLengths one, SvmLengths others,
                        const int32_t *restrict dots, float *restrict out, int64_t n) {
    const double factor = kernel->gamma * pixel_scale, coef0 = kernel->coef0;
    double base[PIECE], power[PIECE];
    if (kernel->normalize) {
        cosines(*one.inverses, others.inverses, dots, base, n);
        for (int64_t k = 0; k < n; k++)
            base[k] = kernel->gamma * base[k] + coef0;
    } else {
        for (int64_t k = 0; k < n; k++)
            base[k] = factor * (double)dots[k] + coef0;
    }
    raise_to(kernel->degree, base, power, n);
    for (int64_t k = 0; k < n; k++)
        out[k] = (float)power[k];
}

static void linear_values(const SvmKernel *kernel, SvmLengths one, SvmLengths others,
                          const int32_t *restrict dots, float *restrict out, int64_t n) {
    if (kernel->normalize)
        for (int64_t k = 0; k < n; k++)
            out[k] = (float)((double)dots[k] * (*one.inverses * others.inverses[k]));
    else
        for (int64_t k = 0; k < n; k++)
            out[k] = (float)(pixel_scale * (double)dots[k]);
}

void svm_kernel_values(const SvmKernel *kernel, SvmLengths one, SvmLengths others, const int32_t *dots,
                       float *out, int64_t n) {
    static void (*const values[])(const SvmKernel *, SvmLengths, SvmLengths, const int32_t *, float *,
                                  int64_t) = {
        [SVM_RBF] = rbf_values, [SVM_POLY] = poly_values, [SVM_LINEAR] = linear_values};
    for (int64_t first = 0; first < n; first += PIECE) {
        int64_t count = n - first < PIECE ? n - first : PIECE;
        values[kernel->type](kernel, one, svm_lengths_from(others, first), dots + first, out + first, count);
    }
}
