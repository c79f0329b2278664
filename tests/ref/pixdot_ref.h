/* Plain references for exact dot products and for nearest neighbours. */
#ifndef PARDIGITS_TESTS_REF_PIXDOT_REF_H
#define PARDIGITS_TESTS_REF_PIXDOT_REF_H

#include <stdint.h>

/* Dot product and squared distance of two rows, in 64 bits. */
int64_t ref_pixdot(const uint8_t *a, const uint8_t *b, int columns);
int64_t ref_square_distance(const uint8_t *a, const uint8_t *b, int columns);

#endif
