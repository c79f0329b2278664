/* Slots in node memory: on one node the gradients of a step with few micro-batches aren't added up at all.
 * Each micro-batch writes its own into a slot, and `means` converts and adds those of all slots where they
 * are needed, so that they go through memory once. What isn't gradients is added at once. */
#include "cnn/piece_sums.h"
#include "cnn/reducer.h"

#include "core/integers.h"
#include "parallel/exact_sum.h"
#include "parallel/node_memory.h"

enum { SLOTS_BYTES = 1 << 26 }; /* most of all slots */

typedef struct {
    GradientReducer base;
    int64_t slot_floats;
    float *slots; /* [most_micro_batches][slot_floats]; that of a micro-batch is its place in the step */
    _Atomic uint32_t *keys; /* [most_micro_batches] of the micro-batches' rounding */
    PieceSums rest;         /* what isn't gradients */
    Range rest_pieces;
} SlotsReducer;

/* In whole cache lines. */
static int64_t floats_of_slot(const ReducerPlan *plan) {
    return round_up(contribution_floats(plan->what.net), NETWORK_ALIGN);
}

static bool applies(const ReducerPlan *plan) {
    const int64_t fitting = SLOTS_BYTES / (floats_of_slot(plan) * (int64_t)sizeof(float));
    return plan->nodes == 1 && plan->what.most_micro_batches <= fitting;
}

static void init(GradientReducer *reducer) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    const ReducerPlan *plan = &reducer->plan;
    const Range rest = {plan->what.net->param_floats, contribution_floats(plan->what.net)};
    const size_t most = (size_t)plan->what.most_micro_batches;
    slots->slot_floats = floats_of_slot(plan);
    slots->slots = node_memory_new(plan->node, most * (size_t)slots->slot_floats, sizeof(float));
    slots->keys = node_memory_new(plan->node, most, sizeof *slots->keys);
    slots->rest = piece_sums_new(plan->node, NULL, rest, 0, 1);
    slots->rest_pieces = piece_sums_cut(&slots->rest, rest);
}

static void clear(GradientReducer *reducer) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    node_memory_free(reducer->plan.node, slots->slots);
    node_memory_free(reducer->plan.node, slots->keys);
    piece_sums_free(&slots->rest);
}

static float *slot_of(GradientReducer *reducer, int64_t micro_batch) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    const int64_t place = reducer->step.first + micro_batch;
    slots->keys[place] = reducer_rounding_key(reducer, micro_batch);
    return slots->slots + place * slots->slot_floats;
}

static void add(GradientReducer *reducer, Range values, const Contribution *contribution) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    if (values.begin == slots->rest.values.begin)
        reducer_note_out_of_range(reducer, piece_sums_add(&slots->rest, slots->rest_pieces, contribution),
                                  slots->rest.values, contribution->values);
}

/* Nobody adds before the next step. */
static void finish(GradientReducer *reducer) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    if (reducer->plan.is_leader) piece_sums_reset(&slots->rest);
}

static double get(const GradientReducer *reducer, int64_t value) {
    return piece_sums_get(&((const SlotsReducer *)reducer)->rest, value);
}

/* Exact sums of up to BLOCK_FLOAT_VALUES values. */
static uint64_t exact_means(const SlotsReducer *slots, Range values, double divisor, float *out) {
    const float *first = slots->slots + values.begin;
    const int64_t n = range_size(values), all = slots->base.step.all;
    if (all <= EXACT_SUM_FEW) return exact_sum_means_of_few(all, first, slots->slot_floats, n, divisor, out);
    uint64_t sums[BLOCK_FLOAT_VALUES], out_of_range = 0;
    for (int64_t s = 0; s < all; s++)
        out_of_range += exact_sum_convert(first + s * slots->slot_floats, n, s > 0, sums);
    exact_sum_means(sums, n, divisor, out);
    return out_of_range;
}

/* Of one block. *fits: whether the sums do. */
static uint64_t block_means(const SlotsReducer *slots, Range values, double divisor, float *out, bool *fits) {
    const GradientBlocks *blocks = &slots->base.blocks;
    union {
        int32_t of_32_bits[BLOCK_FLOAT_VALUES];
        int16_t of_16_bits[BLOCK_FLOAT_VALUES];
    } sums;
    uint64_t out_of_range = 0;
    for (int64_t s = 0; s < slots->base.step.all; s++)
        out_of_range += gradient_blocks_add(blocks, values, slots->slots + s * slots->slot_floats,
                                            slots->keys[s], s > 0, &sums);
    *fits = gradient_blocks_means(blocks, values, &sums, divisor, out);
    return out_of_range;
}

/* So many terms of the values, of whichever contributions. */
static void note_out_of_range(SlotsReducer *slots, Range values, uint64_t count) {
    for (int64_t s = 0; count && s < slots->base.step.all; s++)
        reducer_note_out_of_range(&slots->base, count, values, slots->slots + s * slots->slot_floats);
}

static void means(GradientReducer *reducer, Range values, double divisor, float *out) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    if (values.begin >= slots->rest.values.begin) {
        piece_sums_means(&slots->rest, values, divisor, out);
        return;
    }
    for (Range block = {values.begin, values.begin}; block.begin < values.end; block.begin = block.end) {
        block.end = smaller(block.begin + BLOCK_FLOAT_VALUES, values.end);
        float *to = out + (block.begin - values.begin);
        bool fits = true;
        note_out_of_range(slots, block,
                          reducer_blocks(reducer) ? block_means(slots, block, divisor, to, &fits)
                                                  : exact_means(slots, block, divisor, to));
        if (!fits) reducer_note_out_of_range(reducer, 1, block, NULL); /* of whichever contributions */
    }
}

const ReducerMethod reducer_slots = {
    .applies = applies,
    .bytes = sizeof(SlotsReducer),
    .init = init,
    .clear = clear,
    .slot = slot_of,
    .add = add,
    .finish = finish,
    .get = get,
    .means = means,
};
