/* Sums of floats that don't depend on the order of addition, in 32 or 16 bits: block floating point.
 *
 * Values come in blocks of BLOCK_FLOAT_VALUES that share an exponent, their range: values of a block are
 * expected below 2^range in magnitude. Each is rounded to an integer in units of
 *     2^(range - fraction bits),
 * where the fraction bits depend on the width of the sum and on how many terms it has; integers then add in
 * any order. A term's integer is at most
 *     limit = (2^(bits - 1) - 1) / terms
 * in magnitude, so a sum of that many terms can't overflow; 2^(fraction bits) is the largest power of two
 * that isn't above the limit. What is beyond the limit is clamped to it, and counted. All ranks know a
 * block's range before the step: it follows the block's last sum (block_float_next_range).
 *
 * 32 bits round to the nearest integer. 16 bits round up or down at random, with probabilities that make the
 * expectation exact (stochastic rounding: Gupta, Agrawal, Gopalakrishnan & Narayanan, "Deep learning with
 * limited numerical precision", ICML 2015), by numbers that depend on the key and the value's place alone.
 * Nothing here communicates. */
#ifndef PARDIGITS_PARALLEL_BLOCK_FLOAT_H
#define PARDIGITS_PARALLEL_BLOCK_FLOAT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BLOCK_FLOAT_VALUES = 1024,
    BLOCK_FLOAT_FIRST_RANGE = 0, /* before any sum is known */
    BLOCK_FLOAT_LEAST_RANGE = -24,
    BLOCK_FLOAT_LARGEST_RANGE = 10, /* beyond it training has diverged */
};

/* How terms of one step are rounded; the same for all blocks. */
typedef struct {
    int bits;          /* 32 or 16 */
    int fraction_bits; /* of a term's integer */
    float limit;       /* the largest integer of a term */
} BlockFloat;

/* For sums of `terms` terms, at most 2^12. */
BlockFloat block_float_of(int bits, int64_t terms);

/* What didn't fit. */
typedef struct {
    int clamped;    /* terms that were beyond the limit */
    int not_number; /* terms that are NaN: the sum is worthless */
} BlockFloatMisfits;

/* Rounds terms [n] of a block of this range and adds them to sums [n], or with `add` false stores them there.
 * key: random bits of (seed, step, micro-batch); first: the place of terms[0] among all values. */
BlockFloatMisfits block_float_add_32(BlockFloat format, int range, const float *terms, int n, bool add,
                                     int32_t *sums);
BlockFloatMisfits block_float_add_16(BlockFloat format, int range, uint32_t key, uint32_t first,
                                     const float *terms, int n, bool add, int16_t *sums);

/* out[i] = sums[i] units / divisor, rounded once. Returns the largest magnitude of the sums, in units. */
int32_t block_float_means_32(BlockFloat format, int range, const int32_t *sums, int n, double divisor,
                             float *out);
int32_t block_float_means_16(BlockFloat format, int range, const int16_t *sums, int n, double divisor,
                             float *out);

/* The range of the block in the next step: one to two times the largest sum (terms may be twice as large
 * before they are clamped). It shrinks by one a step at most, and grows by four when terms were clamped. */
int block_float_next_range(BlockFloat format, int range, int32_t largest, bool clamped);

#endif
