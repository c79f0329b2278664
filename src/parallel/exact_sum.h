/* Sums of floats that don't depend on the order of addition: fixed point in 64-bit integers.
 *
 * A value x becomes the integer nearest to x * 2^EXACT_SUM_SCALE. Integers can be added modulo 2^64 in any
 * order, in memory and over MPI. (Hallberg & Adcroft, "An order-invariant real-to-integer conversion sum",
 * Parallel Computing 40, 2014.) A term that is NaN, or at least 2^EXACT_SUM_LIMIT in magnitude, is out of
 * range: it isn't added but counted. 2^12 terms below that limit can't overflow. */
#ifndef PARDIGITS_PARALLEL_EXACT_SUM_H
#define PARDIGITS_PARALLEL_EXACT_SUM_H

#include <stdbool.h>
#include <stdint.h>

enum {
    EXACT_SUM_SCALE = 40,       /* one unit is 2^-40 */
    EXACT_SUM_LIMIT = 10,       /* terms are below 2^10 in magnitude */
    EXACT_SUM_MAX_TERMS = 4096, /* most terms of one sum */
    EXACT_SUM_FEW = 4,          /* most terms whose sum is exact in a double */
};

/* Adds terms[count] to sums[count]; if add is false, the terms replace the old values. Returns the number of
 * terms that were out of range: if it isn't 0, the sums are useless. */
uint64_t exact_sum_convert(const float *terms, int64_t count, bool add, uint64_t *sums);

/* out[i] = sums[i] / divisor, computed in double and rounded once to float. */
void exact_sum_means(const uint64_t *sums, int64_t count, double divisor, float *out);

/* The same without stored sums, for few <= EXACT_SUM_FEW terms a sum: sum i adds terms[i], terms[stride + i],
 * ... Returns 0 on success; otherwise a term was out of range and out is useless. */
uint64_t exact_sum_means_of_few(int64_t few, const float *terms, int64_t stride, int64_t count,
                                double divisor, float *out);

/* A sum as a double. */
double exact_sum_value(uint64_t sum);

#endif
