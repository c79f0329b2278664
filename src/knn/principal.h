/* Principal axes, as whole numbers. Private to src/knn. */
#ifndef PARDIGITS_KNN_PRINCIPAL_H
#define PARDIGITS_KNN_PRINCIPAL_H

#include <stdint.h>

enum { PRINCIPAL_UNIT = 1 << 13 }; /* an axis is about so long */

/* The leading principal axes of rows [rows][columns], rounded: axes [count][columns]. count <= columns.
 * OpenMP. */
void principal_axes(const uint8_t *pixels, int64_t rows, int columns, int count, int threads, int16_t *axes);

/* The squared norm of axes as a linear map is at most this (Gershgorin: the largest sum of absolute values in
 * a row of axes * transposed axes). */
int64_t principal_norm_bound(const int16_t *axes, int count, int columns);

#endif
