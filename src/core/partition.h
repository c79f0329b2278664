/* The one rule that splits work into parts. It splits files into shards, rows over reading ranks, a batch
 * into micro-batches and test images over ranks. */
#ifndef PARDIGITS_CORE_PARTITION_H
#define PARDIGITS_CORE_PARTITION_H

#include <stdint.h>

typedef struct {
    int64_t begin; /* first item of the part */
    int64_t end;   /* one past its last item; begin == end is an empty part, which is legal */
} Range;

/* Part `part` (0 <= part < parts) of n items. The parts are consecutive ranges whose sizes differ by at most
 * one; the larger ones come first. */
Range partition_range(int64_t n, int64_t parts, int64_t part);

/* The part that contains item (0 <= item < n). */
int64_t partition_owner(int64_t n, int64_t parts, int64_t item);

static inline int64_t range_size(Range range) {
    return range.end - range.begin;
}

#endif
