#include "core/integers.h"

#include <stdlib.h>

static int compare_ints(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

void sort_ints(int *values, size_t count) {
    qsort(values, count, sizeof *values, compare_ints);
}
