#include "parallel/exact_sum.h"

#include <math.h>
#include <string.h>

/* Adding 1.5 * 2^52 to a double below 2^51 in magnitude rounds it to the nearest integer (ties to even),
 * which is then in the low bits: a conversion that every vector unit has. */
static const double magic = 0x1.8p52;
static const float limit = (float)(1 << EXACT_SUM_LIMIT);

static inline double shifted_by_magic(float term) {
    return (double)term * (double)(1ll << EXACT_SUM_SCALE) + magic;
}

uint64_t exact_sum_convert(const float *restrict terms, int64_t count, bool add, uint64_t *restrict sums) {
    const uint64_t kept = -(uint64_t)add;
    uint64_t magic_bits, out_of_range = 0;
    memcpy(&magic_bits, &magic, sizeof magic_bits);
    for (int64_t i = 0; i < count; i++) {
        uint64_t good = fabsf(terms[i]) < limit; /* false for NaN */
        double shifted = shifted_by_magic(terms[i]);
        uint64_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        sums[i] = (sums[i] & kept) + ((bits - magic_bits) & -good);
        out_of_range += 1 - good;
    }
    return out_of_range;
}

double exact_sum_value(uint64_t sum) {
    return (double)(int64_t)sum * 0x1p-40;
}

void exact_sum_means(const uint64_t *sums, int64_t count, double divisor, float *out) {
    double unit = 0x1p-40 / divisor;
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)((double)(int64_t)sums[i] * unit);
}

/* `few` is a constant in each call, so the loop over the terms is unrolled. Integers below 2^50 in magnitude
 * add exactly in doubles: four of them stay below 2^52. */
static inline __attribute__((always_inline)) uint64_t means_of(int64_t few, const float *restrict terms,
                                                               int64_t stride, int64_t count, double unit,
                                                               float *restrict out) {
    uint32_t out_of_range = 0;
    for (int64_t i = 0; i < count; i++) {
        double sum = 0;
        for (int64_t k = 0; k < few; k++) {
            const float term = terms[k * stride + i];
            out_of_range |= !(fabsf(term) < limit);
            sum += shifted_by_magic(term) - magic;
        }
        out[i] = (float)(sum * unit);
    }
    return out_of_range;
}

uint64_t exact_sum_means_of_few(int64_t few, const float *terms, int64_t stride, int64_t count,
                                double divisor, float *out) {
    const double unit = 0x1p-40 / divisor;
    switch (few) {
    case 1:
        return means_of(1, terms, stride, count, unit, out);
    case 2:
        return means_of(2, terms, stride, count, unit, out);
    case 3:
        return means_of(3, terms, stride, count, unit, out);
    default:
        return means_of(EXACT_SUM_FEW, terms, stride, count, unit, out);
    }
}
