/* The one rule that cuts work into parts. Shards of files, rows a rank reads, leaves of a batch and test
 * images are all cut by it. */
#ifndef PARDIGITS_CORE_PARTITION_H
#define PARDIGITS_CORE_PARTITION_H

#include <stdint.h>

typedef struct {
    int64_t begin; /* first item of the part */
    int64_t end;   /* one past its last item; begin == end is an empty part, which is legal */
} Range;

/* Part `part` (0 <= part < parts) of n items: consecutive ranges in order of part, sizes that differ by at
 * most one, the larger ones first. */
Range partition_range(int64_t n, int64_t parts, int64_t part);

/* The part that item (0 <= item < n) is in. */
int64_t partition_owner(int64_t n, int64_t parts, int64_t item);

static inline int64_t range_size(Range range) {
    return range.end - range.begin;
}

static inline int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

#endif
