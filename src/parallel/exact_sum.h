/* Sums of floats that don't depend on the order of addition: fixed point in 64-bit integers.
 *
 * A value x becomes the integer nearest to x * 2^EXACT_SUM_SCALE; integers add modulo 2^64 in any order, in
 * memory and over MPI. (Hallberg & Adcroft, "An order-invariant real-to-integer conversion sum", Parallel
 * Computing 40, 2014.) A term that is NaN or not below 2^EXACT_SUM_LIMIT in magnitude isn't added but
 * counted, and the count travels in the same sum. 2^12 terms of that magnitude can't overflow. */
#ifndef PARDIGITS_PARALLEL_EXACT_SUM_H
#define PARDIGITS_PARALLEL_EXACT_SUM_H

#include "parallel/comm.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    EXACT_SUM_SCALE = 40,       /* one unit is 2^-40 */
    EXACT_SUM_LIMIT = 10,       /* terms are below 2^10 in magnitude */
    EXACT_SUM_MAX_TERMS = 4096, /* terms of one sum */
    EXACT_SUM_FEW = 4,          /* terms whose exact sum is a double */
};

typedef struct {
    int64_t n;
    uint64_t *sums; /* [n + 1]; the last one counts the terms that were refused */
} ExactSum;

/* n sums, all zero; freed by exact_sum_free. */
ExactSum exact_sum_new(int64_t n);
void exact_sum_free(ExactSum *sum);

/* Back to zero. */
void exact_sum_clear(ExactSum *sum);

/* Adds terms[0..count) to the sums first..first+count. One thread at a time a sum. */
void exact_sum_add(ExactSum *sum, int64_t first, const float *terms, int64_t count);

/* The same on bare sums [count], of which with `add` false the old values don't count. Returns how many terms
 * were refused. */
uint64_t exact_sum_convert(const float *terms, int64_t count, bool add, uint64_t *sums);

/* Collective: adds up over the ranks; every rank has the total. */
void exact_sum_reduce(ExactSum *sum, const Comm *comm);

/* How many terms were refused: not 0 means that the sums are worthless and training must stop. */
uint64_t exact_sum_out_of_range(const ExactSum *sum);

/* out[i] = sum first+i / divisor, rounded once to float from double. */
void exact_sum_means(const ExactSum *sum, int64_t first, int64_t count, double divisor, float *out);

/* The same from up to EXACT_SUM_FEW terms of each sum, without storing it: sum i is that of terms[i],
 * terms[stride + i], ... Returns 0, or not 0 if a term had to be refused: then out is worthless. */
uint64_t exact_sum_means_of_few(int64_t few, const float *terms, int64_t stride, int64_t count,
                                double divisor, float *out);

/* Sum i as a double. */
double exact_sum_get(const ExactSum *sum, int64_t i);

#endif
