#include "parallel/block_float.h"

#include <math.h>

BlockFloat block_float_of(int bits, int64_t terms) {
    const int64_t largest = (((int64_t)1 << (bits - 1)) - 1) / terms;
    BlockFloat format = {.bits = bits, .limit = (float)largest};
    if ((int64_t)format.limit > largest) format.limit = nextafterf(format.limit, 0);
    while ((int64_t)2 << format.fraction_bits <= largest)
        format.fraction_bits++;
    return format;
}

/* One unit of a block's sums. */
static float unit_of(BlockFloat format, int range) {
    return ldexpf(1, range - format.fraction_bits);
}

/* Counts what doesn't fit and gives the value that does. */
static inline float fit(float value, float limit, BlockFloatMisfits *misfits) {
    misfits->not_number += value != value;
    misfits->clamped += fabsf(value) > limit;
    const float number = value == value ? value : 0;
    const float low = number < -limit ? -limit : number;
    return low > limit ? limit : low;
}

BlockFloatMisfits block_float_add_32(BlockFloat format, int range, const float *restrict terms, int n,
                                     bool add, int32_t *restrict sums) {
    const float scale = 1 / unit_of(format, range), limit = format.limit;
    const int32_t kept = -(int32_t)add;
    BlockFloatMisfits misfits = {0};
    for (int i = 0; i < n; i++)
        sums[i] = (sums[i] & kept) + (int32_t)fit(rintf(terms[i] * scale), limit, &misfits);
    return misfits;
}

/* Uniform in [0, 1): a hash of the place, by the key (lowbias32 of C. Wellons' hash prospector, 2018). */
static inline float uniform_of(uint32_t key, uint32_t place) {
    uint32_t x = (place * 0x9e3779b9u) ^ key;
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    x ^= x >> 16;
    return (float)(int32_t)(x >> 8) * 0x1p-24f;
}

BlockFloatMisfits block_float_add_16(BlockFloat format, int range, uint32_t key, uint32_t first,
                                     const float *restrict terms, int n, bool add, int16_t *restrict sums) {
    const float scale = 1 / unit_of(format, range), limit = format.limit;
    const int kept = -(int)add;
    BlockFloatMisfits misfits = {0};
    for (int i = 0; i < n; i++) {
        const float up_or_down = floorf(terms[i] * scale + uniform_of(key, first + (uint32_t)i));
        sums[i] = (int16_t)((sums[i] & kept) + (int)fit(up_or_down, limit, &misfits));
    }
    return misfits;
}

int32_t block_float_means_32(BlockFloat format, int range, const int32_t *restrict sums, int n,
                             double divisor, float *restrict out) {
    const double unit = (double)unit_of(format, range) / divisor;
    int32_t largest = 0;
    for (int i = 0; i < n; i++) {
        const int32_t magnitude = sums[i] < 0 ? -sums[i] : sums[i];
        largest = magnitude > largest ? magnitude : largest;
        out[i] = (float)(sums[i] * unit);
    }
    return largest;
}

int32_t block_float_means_16(BlockFloat format, int range, const int16_t *restrict sums, int n,
                             double divisor, float *restrict out) {
    const double unit = (double)unit_of(format, range) / divisor;
    int32_t largest = 0;
    for (int i = 0; i < n; i++) {
        const int32_t sum = sums[i], magnitude = sum < 0 ? -sum : sum;
        largest = magnitude > largest ? magnitude : largest;
        out[i] = (float)(sum * unit);
    }
    return largest;
}

int block_float_next_range(BlockFloat format, int range, int32_t largest, bool clamped) {
    int next = BLOCK_FLOAT_LEAST_RANGE;
    if (largest > 0) {
        int bits = 0; /* largest < 2^bits units */
        while ((int64_t)1 << bits <= largest)
            bits++;
        next = range - format.fraction_bits + bits;
    }
    if (next < range - 1) next = range - 1;
    if (clamped && next < range + 4) next = range + 4;
    return next < BLOCK_FLOAT_LEAST_RANGE ? BLOCK_FLOAT_LEAST_RANGE : next;
}
