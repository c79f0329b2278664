#include "pardigits/rng.h"

#include <Random123/philox.h>
#include <math.h>

void rng_u32x4(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, uint32_t out[4]) {
    philox4x32_ctr_t counter = {{epoch, (uint32_t)sample, (uint32_t)(sample >> 32), draw}};
    philox4x32_key_t philox_key = {{key.seed, (uint32_t)key.purpose}};
    philox4x32_ctr_t random = philox4x32(counter, philox_key);
    for (int i = 0; i < 4; i++)
        out[i] = random.v[i];
}

/* The rounds of RNG_LANES counters side by side, which the compiler makes vector code of. */
enum { RNG_LANES = 16 };

static void fill_lanes(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, uint32_t out[][4]) {
    uint32_t x0[RNG_LANES], x1[RNG_LANES], x2[RNG_LANES], x3[RNG_LANES];
    for (uint32_t i = 0; i < RNG_LANES; i++) {
        x0[i] = epoch;
        x1[i] = (uint32_t)sample;
        x2[i] = (uint32_t)(sample >> 32);
        x3[i] = draw + i;
    }
    uint32_t key0 = key.seed, key1 = (uint32_t)key.purpose;
    for (int round = 0; round < philox4x32_rounds; round++, key0 += PHILOX_W32_0, key1 += PHILOX_W32_1) {
#pragma omp simd
        for (int i = 0; i < RNG_LANES; i++) {
            const uint64_t product0 = (uint64_t)PHILOX_M4x32_0 * x0[i],
                           product1 = (uint64_t)PHILOX_M4x32_1 * x2[i];
            x0[i] = (uint32_t)(product1 >> 32) ^ x1[i] ^ key0;
            x1[i] = (uint32_t)product1;
            x2[i] = (uint32_t)(product0 >> 32) ^ x3[i] ^ key1;
            x3[i] = (uint32_t)product0;
        }
    }
    for (int i = 0; i < RNG_LANES; i++) {
        out[i][0] = x0[i];
        out[i][1] = x1[i];
        out[i][2] = x2[i];
        out[i][3] = x3[i];
    }
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
