/* Counter-based random numbers (Philox4x32-10 of Random123; Salmon et al., "Parallel random numbers: as easy
 * as 1, 2, 3", SC11). A number depends only on its key and counter, never on a rank, a thread or an earlier
 * call. */
#ifndef PARDIGITS_CORE_RNG_H
#define PARDIGITS_CORE_RNG_H

#include <stdint.h>

/* The purpose of a stream. It is part of the key, so streams never overlap. */
typedef enum {
    RNG_INIT = 1, /* initial weights: epoch 0, sample = parameter array, draw = block of 4 elements; and the
                   start of KNN's search for principal axes */
    RNG_ORDER,    /* order of an epoch: sample 0 */
    RNG_DROPOUT,  /* sample = index in the training set, draw = layer << 24 | block of 4 elements */
    RNG_AUGMENT,  /* sample = index in the training set, draw = 0, 1: affine and strokes, from 16 on: elastic
                   */
    RNG_MEMBER,   /* seeds of an ensemble: sample = member */
    RNG_TEST,     /* data made by tests and benchmarks */
    RNG_ROUNDING, /* of gradients to 16 bits: sample = step of the epoch, draw = micro-batch of the step */
} RngPurpose;

typedef struct {
    uint32_t seed;
    RngPurpose purpose;
} RngKey;

/* Four uniform 32-bit numbers for (epoch, sample, draw). */
void rng_u32x4(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, uint32_t out[4]);

/* out[n][4] = the numbers of draw, draw + 1, ..., draw + n - 1; faster than n single calls. */
void rng_fill(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, int64_t n, uint32_t (*out)[4]);

/* Four uniform floats in [0, 1), with 24 random bits each. */
void rng_uniform4(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, float out[4]);

/* Four independent standard normal floats (Box-Muller). */
void rng_normal4(RngKey key, uint32_t epoch, uint64_t sample, uint32_t draw, float out[4]);

/* order[n] = a uniform random permutation of 0..n-1, which depends only on (seed, epoch) (Fisher-Yates). */
void rng_permutation(uint32_t seed, uint32_t epoch, uint32_t *order, uint32_t n);

#endif
