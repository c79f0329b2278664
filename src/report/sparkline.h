/* Curves of one line of text. */
#ifndef PARDIGITS_REPORT_SPARKLINE_H
#define PARDIGITS_REPORT_SPARKLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes that a curve of so many characters needs. */
#define SPARKLINE_BYTES(width) (3 * (width) + 1)

/* The course of values[i * stride] for i < n, in up to `width` characters of eight heights, from the least
 * value to the largest; a character is the mean of its values. Values that aren't finite are left out. text:
 * SPARKLINE_BYTES(width). False if there is nothing to see: fewer than two finite values, or all equal within
 * rounding. */
bool sparkline(const double *values, int64_t n, int64_t stride, int width, char *text);

#endif
