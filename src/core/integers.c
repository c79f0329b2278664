#include "core/integers.h"

#include <stdlib.h>

static int compare_ints(const void *a, const void *b) {
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

void sort_ints(int *values, size_t count) {
    qsort(values, count, sizeof *values, compare_ints);
}

static int compare_doubles(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sort_doubles(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare_doubles);
}
