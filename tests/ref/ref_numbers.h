/* What tests of arithmetic share: repeatable random numbers, copies in double, comparison, finite
 * differences. */
#ifndef PARDIGITS_TESTS_REF_REF_NUMBERS_H
#define PARDIGITS_TESTS_REF_REF_NUMBERS_H

#include <stdint.h>

/* The next of a repeatable sequence, uniform in [-1, 1). *state is any number at first. */
float ref_random(uint64_t *state);

/* New arrays, freed with mem_free: n random floats, n floats of NaN, the same numbers in double. */
float *ref_random_array(int64_t n, uint64_t *state);
float *ref_nan_array(int64_t n);
double *ref_doubles(const float *from, int64_t n);

/* Largest |a - b| over n, infinite if any is not a number, divided by the largest |b| (or 1 if b is all
 * zeros). */
double ref_difference(const float *a, const double *b, int64_t n);

/* Largest difference between gradient [n] and the central differences of loss(x, context) in every x[i], in
 * units of the largest |gradient|. x is changed on the way and put back. */
double ref_gradient_error(double (*loss)(const double *x, void *context), void *context, double *x, int64_t n,
                          const double *gradient);

#endif
