/* Small functions of integers, and sorting of numbers. Thread-safe. */
#ifndef PARDIGITS_CORE_INTEGERS_H
#define PARDIGITS_CORE_INTEGERS_H

#include <stddef.h>
#include <stdint.h>

static inline int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static inline int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* value / unit, rounded up; value >= 0, unit > 0. */
static inline int64_t divide_up(int64_t value, int64_t unit) {
    return (value + unit - 1) / unit;
}

/* The smallest multiple of unit that is at least value; value >= 0, unit > 0. */
static inline int64_t round_up(int64_t value, int64_t unit) {
    return divide_up(value, unit) * unit;
}

/* Sorts values [count], the least first; doubles without NaN. */
void sort_ints(int *values, size_t count);
void sort_doubles(double *values, size_t count);

#endif
