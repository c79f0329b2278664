/* Sums in the memory of a node, to which the threads of all its ranks add at once: in pieces with a lock
 * each. The values are those of a contribution, or some of them. They are exact sums of 64 bits
 * (parallel/exact_sum.h), or gradients in 32 or 16 (gradient_blocks.h). */
#ifndef PARDIGITS_CNN_PIECE_SUMS_H
#define PARDIGITS_CNN_PIECE_SUMS_H

#include "cnn/gradient_blocks.h"

#include "core/partition.h"
#include "parallel/allreduce.h"
#include "parallel/comm.h"

#include <stdatomic.h>

typedef struct {
    Range values;
    atomic_flag taken;
    int64_t added; /* contributions in this step; the first one is written, not added */
} Piece;

typedef struct {
    const Comm *node;
    Range values;                 /* of a contribution */
    SumType type;                 /* SUM_I64: exact sums; else gradients in blocks */
    const GradientBlocks *blocks; /* NULL for exact sums */
    void *sums;                   /* value v is sum v - values.begin */
    Piece *pieces;
    int64_t piece_count;
} PieceSums;

/* A micro-batch's contribution, of which some values are added. */
typedef struct {
    const float *values; /* [contribution_floats] */
    uint32_t key;        /* of its rounding */
    int turn;            /* best different for each thread: which piece comes first */
} Contribution;

/* Sums of these values, behind them `extra` more, in `parts` parts (piece_sums_cut). blocks: NULL, or of the
 * gradients that the values are; kept. Collective in the node; freed by piece_sums_free. */
PieceSums piece_sums_new(const Comm *node, const GradientBlocks *blocks, Range values, int64_t extra,
                         int64_t parts);
void piece_sums_free(PieceSums *sums);

/* Cuts the next part, these values, into pieces, and returns which they are. Every rank of the node cuts the
 * same parts; a barrier must follow before anybody adds. */
Range piece_sums_cut(PieceSums *sums, Range part);

/* Adds a contribution's values of these pieces. By any thread. Returns how many values were out of range. */
uint64_t piece_sums_add(PieceSums *sums, Range pieces, const Contribution *contribution);

/* Sets to 0 the pieces to which nothing was added in this step. By one rank. */
void piece_sums_fill(PieceSums *sums, Range pieces);

/* Begins the next step. By one rank, when nobody adds. */
void piece_sums_reset(PieceSums *sums);

/* The sum of a value, and of those behind it. */
void *piece_sums_at(const PieceSums *sums, int64_t value);

/* An exact sum. */
double piece_sums_get(const PieceSums *sums, int64_t value);

/* out[i] = sum values.begin + i / divisor; gradients in blocks: one whole block. Returns false if gradients
 * have outgrown all ranges. */
bool piece_sums_means(const PieceSums *sums, Range values, double divisor, float *out);

#endif
