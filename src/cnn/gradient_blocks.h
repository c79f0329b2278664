/* Gradients as block floating point (parallel/block_float.h): the parameters in blocks of BLOCK_FLOAT_VALUES,
 * each with a range that all ranks know. Part b holds the places b * BLOCK_FLOAT_VALUES on of the parameter
 * buffer. Private to the gradient reducer. */
#ifndef PARDIGITS_CNN_GRADIENT_BLOCKS_H
#define PARDIGITS_CNN_GRADIENT_BLOCKS_H

#include "core/partition.h"
#include "parallel/block_float.h"

#include <stdatomic.h>

typedef struct {
    BlockFloat format;             /* of this step */
    int32_t *ranges;               /* [blocks] in node memory; NULL: sums of 64 bits, without any of this */
    atomic_uint_fast64_t *clamped; /* [blocks] in node memory: terms of this step that were clamped */
} GradientBlocks;

/* How many blocks so many parameters make. */
int64_t gradient_blocks_count(int64_t param_floats);

/* Adds a contribution's gradients [values) to sums [values), of 32 or 16 bits, or with `add` false stores
 * them there. contribution is the whole one, sums those of these values. key: of the micro-batch's rounding.
 * Returns how many of them are NaN. By any thread. */
uint64_t gradient_blocks_add(const GradientBlocks *blocks, Range values, const float *contribution,
                             uint32_t key, bool add, void *sums);

/* out[i] = sum i of a block (whole, or up to the last parameter) / divisor; the block's range becomes that of
 * the next step. By one thread a block, once a step. Returns false if gradients have outgrown all ranges. */
bool gradient_blocks_means(const GradientBlocks *blocks, Range values, const void *sums, double divisor,
                           float *out);

#endif
