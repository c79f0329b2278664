#include "kernels/exp32.h"

#include <math.h>
#include <string.h>

#define ROUNDING     0x1.8p23f /* added and subtracted again, it rounds to an integer */
#define LOG2_E       0x1.715476p+0f
#define LN2_HIGH     0x1.63p-1f       /* few bits, so that its product with an exponent is exact */
#define LN2_LOW      -0x1.bd0106p-13f /* ln 2 - LN2_HIGH */
#define SMALLEST_ARG -0x1.5d589ep+6f  /* exp of it is just normal */
#define LARGEST_ARG  0x1.62e42ep+6f   /* exp of it is just finite */

/* exp(x) = 2^k exp(r) with k = round(x / ln 2), |r| <= ln 2 / 2 (Cody & Waite); exp(r) by the polynomial of
 * Cephes' expf. */
static inline float exp_one(float x) {
    const float shifted = x * LOG2_E + ROUNDING;
    const float k = shifted - ROUNDING;
    const float r = (x - k * LN2_HIGH) - k * LN2_LOW;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r;
    p = p + 1.0f;

    uint32_t shifted_bits, p_bits;
    memcpy(&shifted_bits, &shifted, sizeof shifted_bits);
    memcpy(&p_bits, &p, sizeof p_bits);
    p_bits += shifted_bits << 23; /* the low bits of `shifted` are k */
    float result;
    memcpy(&result, &p_bits, sizeof result);

    result = x < SMALLEST_ARG ? 0.0f : result;
    result = x > LARGEST_ARG ? INFINITY : result;
    return x != x ? x : result;
}

void exp32(const float *x, float *out, int64_t n) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        out[i] = exp_one(x[i]);
}
