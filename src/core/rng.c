#include "core/rng.h"

#include <Random123/philox.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif
#include <math.h>
#include <string.h>

void rng_u32x4(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, uint32_t out[4]) {
    philox4x32_ctr_t counter = {{epoch, (uint32_t)sample, (uint32_t)(sample >> 32), draw}};
    philox4x32_key_t philox_key = {{key.seed, (uint32_t)key.purpose}};
    philox4x32_ctr_t random = philox4x32(counter, philox_key);
    for (int i = 0; i < 4; i++)
        out[i] = random.v[i];
}

#if defined __AVX512F__
enum { RNG_LANES = 8 };
#elif defined __AVX2__
enum { RNG_LANES = 4 };
#else
enum { RNG_LANES = 2 };
#endif
typedef uint64_t Lanes __attribute__((vector_size(RNG_LANES * 8)));

/* Products of the low halves; what is in the high halves doesn't matter. */
static inline __attribute__((always_inline)) Lanes multiply(Lanes a, uint32_t b) {
#if defined __AVX512F__
    return (Lanes)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#elif defined __AVX2__
    return (Lanes)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#elif defined __SSE2__
    return (Lanes)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(b));
#else
    return (a & UINT32_MAX) * b;
#endif
}

/* The rounds of RNG_LANES counters side by side, each word in the low half of a lane. */
static void fill_lanes(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, uint32_t out[][4]) {
    Lanes x0 = (Lanes){0} + epoch, x1 = (Lanes){0} + sample, x2 = (Lanes){0} + (sample >> 32), x3;
    for (uint32_t i = 0; i < RNG_LANES; i++)
        x3[i] = draw + i;
    uint32_t key0 = key.seed, key1 = (uint32_t)key.purpose;
    for (int round = 0; round < philox4x32_rounds; round++, key0 += PHILOX_W32_0, key1 += PHILOX_W32_1) {
        const Lanes product0 = multiply(x0, PHILOX_M4x32_0), product1 = multiply(x2, PHILOX_M4x32_1);
        x0 = (product1 >> 32) ^ x1 ^ key0;
        x1 = product1;
        x2 = (product0 >> 32) ^ x3 ^ key1;
        x3 = product0;
    }
    const Lanes low = (x0 & UINT32_MAX) | x1 << 32, high = (x2 & UINT32_MAX) | x3 << 32;
    uint64_t words[RNG_LANES][2];
    for (int i = 0; i < RNG_LANES; i++) {
        words[i][0] = low[i];
        words[i][1] = high[i];
    }
    memcpy(out, words, sizeof words);
}

void rng_fill(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, int64_t n, uint32_t (*out)[4]) {
    int64_t i = 0;
    for (; i + RNG_LANES <= n; i += RNG_LANES)
        fill_lanes(key, epoch, sample, draw + (uint32_t)i, out + i);
    for (; i < n; i++)
        rng_u32x4(key, epoch, sample, draw + (uint32_t)i, out[i]);
}

void rng_uniform4(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, float out[4]) {
    uint32_t bits[4];
    rng_u32x4(key, epoch, sample, draw, bits);
    for (int i = 0; i < 4; i++)
        out[i] = (float)(bits[i] >> 8) * 0x1p-24f;
}

void rng_normal4(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, float out[4]) {
    uint32_t bits[4];
    rng_u32x4(key, epoch, sample, draw, bits);
    for (int i = 0; i < 4; i += 2) {
        double radius = sqrt(-2 * log(((double)bits[i] + 0.5) * 0x1p-32));
        double angle = 2 * M_PI * ((double)bits[i + 1] + 0.5) * 0x1p-32;
        out[i] = (float)(radius * cos(angle));
        out[i + 1] = (float)(radius * sin(angle));
    }
}

void rng_permutation(uint32_t seed, uint32_t epoch, uint32_t *order, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t bits[4];
        rng_u32x4((RngKey){seed, RNG_ORDER}, epoch, 0, i, bits);
        /* 64 random bits over i <= 2^32 items: the bias is below 2^-32 */
        uint64_t wide = (uint64_t)bits[0] << 32 | bits[1];
        uint32_t j = (uint32_t)(wide % i), swapped = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swapped;
    }
}
