#include "cnn/piece_sums.h"

#include "parallel/node_memory.h"

#include <sched.h>
#include <string.h>

enum { PIECE_VALUES = 1 << 14 }; /* that a thread adds under one lock: some microseconds */

PieceSums piece_sums_new(const Comm *node, Range values, int64_t extra, int64_t parts) {
    const int64_t n = range_size(values) + extra;
    PieceSums sums = {.node = node, .values = values};
    sums.pieces = node_memory_new(node, (size_t)(n / PIECE_VALUES + parts), sizeof *sums.pieces);
    sums.sum = (ExactSum){n, node_memory_new(node, (size_t)n + 1, sizeof(uint64_t))};
    return sums;
}

void piece_sums_free(PieceSums *sums) {
    node_memory_free(sums->node, sums->pieces);
    node_memory_free(sums->node, sums->sum.sums);
    *sums = (PieceSums){0};
}

Range piece_sums_cut(PieceSums *sums, Range part) {
    Range pieces = {sums->piece_count, sums->piece_count};
    for (int64_t at = part.begin; at < part.end; at += PIECE_VALUES) {
        Piece *piece = &sums->pieces[pieces.end++];
        if (comm_rank(sums->node) == 0)
            *piece = (Piece){{at, smaller(at + PIECE_VALUES, part.end)}, ATOMIC_FLAG_INIT, 0};
    }
    sums->piece_count = pieces.end;
    return pieces;
}

static uint64_t add_piece(const PieceSums *sums, Piece *piece, const float *contribution) {
    while (atomic_flag_test_and_set_explicit(&piece->taken, memory_order_acquire))
        sched_yield();
    uint64_t out_of_range = exact_sum_convert(contribution + piece->values.begin, range_size(piece->values),
                                              piece->added > 0, piece_sums_at(sums, piece->values.begin));
    piece->added++;
    atomic_flag_clear_explicit(&piece->taken, memory_order_release);
    return out_of_range;
}

uint64_t piece_sums_add(PieceSums *sums, Range pieces, const float *contribution, int turn) {
    const int64_t count = range_size(pieces);
    uint64_t out_of_range = 0;
    for (int64_t p = 0; p < count; p++)
        out_of_range += add_piece(sums, &sums->pieces[pieces.begin + (p + turn) % count], contribution);
    return out_of_range;
}

void piece_sums_fill(PieceSums *sums, Range pieces) {
    for (int64_t p = pieces.begin; p < pieces.end; p++) {
        const Range values = sums->pieces[p].values;
        if (sums->pieces[p].added == 0)
            memset(piece_sums_at(sums, values.begin), 0, (size_t)range_size(values) * sizeof(uint64_t));
    }
}

void piece_sums_reset(PieceSums *sums) {
    for (int64_t p = 0; p < sums->piece_count; p++)
        sums->pieces[p].added = 0;
}
