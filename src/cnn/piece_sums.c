#include "cnn/piece_sums.h"

#include "core/integers.h"
#include "parallel/exact_sum.h"
#include "parallel/node_memory.h"

#include <sched.h>
#include <string.h>

enum { PIECE_VALUES = 1 << 14 }; /* that a thread adds under one lock: some microseconds */

PieceSums piece_sums_new(const Comm *node, const GradientBlocks *blocks, Range values, int64_t extra,
                         int64_t parts) {
    const int64_t n = range_size(values) + extra;
    const SumType type = sum_type_of_bits(blocks ? blocks->format.bits : 64);
    PieceSums sums = {.node = node, .values = values, .type = type, .blocks = blocks};
    sums.pieces = node_memory_new(node, (size_t)(n / PIECE_VALUES + parts), sizeof *sums.pieces);
    sums.sums = node_memory_new(node, (size_t)n, (size_t)sum_type_bytes(sums.type));
    return sums;
}

void piece_sums_free(PieceSums *sums) {
    node_memory_free(sums->node, sums->pieces);
    node_memory_free(sums->node, sums->sums);
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

void *piece_sums_at(const PieceSums *sums, int64_t value) {
    return (char *)sums->sums + (value - sums->values.begin) * sum_type_bytes(sums->type);
}

/* With the piece's lock. */
static uint64_t add_values(const PieceSums *sums, const Piece *piece, const Contribution *contribution) {
    const Range values = piece->values;
    void *at = piece_sums_at(sums, values.begin);
    if (sums->blocks)
        return gradient_blocks_add(sums->blocks, values, contribution->values, contribution->key,
                                   piece->added > 0, at);
    return exact_sum_convert(contribution->values + values.begin, range_size(values), piece->added > 0, at);
}

static uint64_t add_piece(const PieceSums *sums, Piece *piece, const Contribution *contribution) {
    while (atomic_flag_test_and_set_explicit(&piece->taken, memory_order_acquire))
        sched_yield();
    uint64_t out_of_range = add_values(sums, piece, contribution);
    piece->added++;
    atomic_flag_clear_explicit(&piece->taken, memory_order_release);
    return out_of_range;
}

uint64_t piece_sums_add(PieceSums *sums, Range pieces, const Contribution *contribution) {
    const int64_t count = range_size(pieces);
    uint64_t out_of_range = 0;
    for (int64_t p = 0; p < count; p++)
        out_of_range +=
            add_piece(sums, &sums->pieces[pieces.begin + (p + contribution->turn) % count], contribution);
    return out_of_range;
}

void piece_sums_fill(PieceSums *sums, Range pieces) {
    for (int64_t p = pieces.begin; p < pieces.end; p++) {
        const Range values = sums->pieces[p].values;
        if (sums->pieces[p].added == 0)
            memset(piece_sums_at(sums, values.begin), 0,
                   (size_t)(range_size(values) * sum_type_bytes(sums->type)));
    }
}

void piece_sums_reset(PieceSums *sums) {
    for (int64_t p = 0; p < sums->piece_count; p++)
        sums->pieces[p].added = 0;
}

bool piece_sums_means(const PieceSums *sums, Range values, double divisor, float *out) {
    const void *at = piece_sums_at(sums, values.begin);
    if (sums->blocks) return gradient_blocks_means(sums->blocks, values, at, divisor, out);
    exact_sum_means(at, range_size(values), divisor, out);
    return true;
}

double piece_sums_get(const PieceSums *sums, int64_t value) {
    return exact_sum_value(*(const uint64_t *)piece_sums_at(sums, value));
}
