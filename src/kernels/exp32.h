/* exp of single-precision numbers, the program's own: the same bits wherever a value stands in an array, and
 * on every processor of a build. At most 2 units in the last place from the exact value. A result below the
 * smallest normal float is 0, one beyond the largest float is infinity; NaN stays NaN. */
#ifndef PARDIGITS_KERNELS_EXP32_H
#define PARDIGITS_KERNELS_EXP32_H

#include <stdint.h>

/* out [n] = exp(x [n]); in place is allowed. */
void exp32(const float *x, float *out, int64_t n);

#endif
