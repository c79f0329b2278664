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
