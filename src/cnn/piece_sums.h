/* Exact sums in the memory of a node, to which the threads of all its ranks add at once: in pieces with a
 * lock each. The values are those of a contribution, or some of them. */
#ifndef PARDIGITS_CNN_PIECE_SUMS_H
#define PARDIGITS_CNN_PIECE_SUMS_H

#include "core/partition.h"
#include "parallel/comm.h"
#include "parallel/exact_sum.h"

#include <stdatomic.h>

typedef struct {
    Range values;
    atomic_flag taken;
    int64_t added; /* contributions in this step; the first one is written, not added */
} Piece;

typedef struct {
    const Comm *node;
    Range values; /* of a contribution */
    ExactSum sum; /* value v is sum v - values.begin */
    Piece *pieces;
    int64_t piece_count;
} PieceSums;

/* Sums of these values, behind them `extra` more, in `parts` parts (piece_sums_cut). Collective in the node;
 * freed by piece_sums_free. */
PieceSums piece_sums_new(const Comm *node, Range values, int64_t extra, int64_t parts);
void piece_sums_free(PieceSums *sums);

/* Cuts the next part, these values, into pieces, and returns which they are. Every rank of the node cuts the
 * same parts; a barrier must follow before anybody adds. */
Range piece_sums_cut(PieceSums *sums, Range part);

/* Adds a contribution's values of these pieces. By any thread; `turn`, best different for each, says where it
 * begins. Returns how many values were out of range. */
uint64_t piece_sums_add(PieceSums *sums, Range pieces, const float *contribution, int turn);

/* Sets to 0 the pieces to which nothing was added in this step. By one rank. */
void piece_sums_fill(PieceSums *sums, Range pieces);

/* Begins the next step. By one rank, when nobody adds. */
void piece_sums_reset(PieceSums *sums);

static inline uint64_t *piece_sums_at(const PieceSums *sums, int64_t value) {
    return sums->sum.sums + (value - sums->values.begin);
}

#endif
