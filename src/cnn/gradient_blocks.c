#include "cnn/gradient_blocks.h"
#include "core/integers.h"

int64_t gradient_blocks_count(int64_t param_floats) {
    return divide_up(param_floats, BLOCK_FLOAT_VALUES);
}

/* Values of one block. */
static uint64_t add_part(const GradientBlocks *blocks, Range part, const float *contribution, uint32_t key,
                         bool add, void *sums) {
    const int64_t block = part.begin / BLOCK_FLOAT_VALUES;
    const int n = (int)range_size(part), range = blocks->ranges[block];
    const float *terms = contribution + part.begin;
    const BlockFloatMisfits misfits =
        blocks->format.bits == 32
            ? block_float_add_32(blocks->format, range, terms, n, add, sums)
            : block_float_add_16(blocks->format, range, key, (uint32_t)part.begin, terms, n, add, sums);
    if (misfits.clamped) atomic_fetch_add(&blocks->clamped[block], (uint64_t)misfits.clamped);
    return (uint64_t)misfits.not_number;
}

uint64_t gradient_blocks_add(const GradientBlocks *blocks, Range values, const float *contribution,
                             uint32_t key, bool add, void *sums) {
    const int bytes = blocks->format.bits / 8;
    uint64_t not_number = 0;
    for (Range part = {values.begin, values.begin}; part.begin < values.end; part.begin = part.end) {
        part.end = smaller((part.begin / BLOCK_FLOAT_VALUES + 1) * BLOCK_FLOAT_VALUES, values.end);
        not_number += add_part(blocks, part, contribution, key, add,
                               (char *)sums + (part.begin - values.begin) * bytes);
    }
    return not_number;
}

bool gradient_blocks_means(const GradientBlocks *blocks, Range values, const void *sums, double divisor,
                           float *out) {
    const int64_t block = values.begin / BLOCK_FLOAT_VALUES;
    const int n = (int)range_size(values), range = blocks->ranges[block];
    const int32_t largest = blocks->format.bits == 32
                                ? block_float_means_32(blocks->format, range, sums, n, divisor, out)
                                : block_float_means_16(blocks->format, range, sums, n, divisor, out);
    const bool clamped = atomic_exchange(&blocks->clamped[block], 0) > 0;
    blocks->ranges[block] = block_float_next_range(blocks->format, range, largest, clamped);
    return blocks->ranges[block] <= BLOCK_FLOAT_LARGEST_RANGE;
}
