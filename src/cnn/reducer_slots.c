/* Slots in node memory: on one node the gradients of a step with few micro-batches aren't added up at all.
 * Each micro-batch writes its own into a slot, and `means` converts and adds those of all slots where they
 * are needed, so that they go through memory once. What isn't gradients is added at once. */
#include "cnn/piece_sums.h"
#include "cnn/reducer.h"

#include "core/mem.h"
#include "parallel/node_memory.h"

enum {
    SLOTS_BYTES = 1 << 26,  /* most of all slots */
    BLOCK_VALUES = 1 << 10, /* that are added up in the first-level cache */
};

typedef struct {
    GradientReducer base;
    int64_t all; /* micro-batches of this step */
    int64_t slot_floats;
    float *slots;               /* [most_micro_batches][slot_floats] */
    atomic_int_fast64_t *taken; /* slots of this step */
    PieceSums rest;             /* what isn't gradients */
    Range rest_pieces;
} SlotsReducer;

/* In whole cache lines. */
static int64_t floats_of_slot(const ReducerPlan *plan) {
    return (contribution_floats(plan->net) + NETWORK_ALIGN - 1) / NETWORK_ALIGN * NETWORK_ALIGN;
}

static bool applies(const ReducerPlan *plan) {
    const int64_t fitting = SLOTS_BYTES / (floats_of_slot(plan) * (int64_t)sizeof(float));
    return plan->nodes == 1 && plan->most_micro_batches <= fitting;
}

static GradientReducer *create(const ReducerPlan *plan) {
    SlotsReducer *slots = mem_new(1, sizeof *slots);
    const Range rest = {plan->net->param_floats, contribution_floats(plan->net)};
    slots->slot_floats = floats_of_slot(plan);
    slots->slots =
        node_memory_new(plan->node, (size_t)(plan->most_micro_batches * slots->slot_floats), sizeof(float));
    slots->taken = node_memory_new(plan->node, 1, sizeof *slots->taken);
    slots->rest = piece_sums_new(plan->node, rest, 0, 1);
    slots->rest_pieces = piece_sums_cut(&slots->rest, rest);
    return &slots->base;
}

static void destroy(GradientReducer *reducer) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    node_memory_free(reducer->plan.node, slots->slots);
    node_memory_free(reducer->plan.node, slots->taken);
    piece_sums_free(&slots->rest);
}

static void begin(GradientReducer *reducer, int64_t micro_batches, int64_t all) {
    (void)micro_batches;
    ((SlotsReducer *)reducer)->all = all;
}

static float *next_slot(GradientReducer *reducer) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    return slots->slots + atomic_fetch_add(slots->taken, 1) * slots->slot_floats;
}

static void add(GradientReducer *reducer, Range values, const float *contribution, int turn) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    if (values.begin == slots->rest.values.begin)
        reducer_count_out_of_range(reducer,
                                   piece_sums_add(&slots->rest, slots->rest_pieces, contribution, turn));
}

/* Nobody takes slots or adds before the next step. */
static void finish(GradientReducer *reducer) {
    SlotsReducer *slots = (SlotsReducer *)reducer;
    if (!reducer->plan.is_leader) return;
    atomic_store(slots->taken, 0);
    piece_sums_reset(&slots->rest);
}

static double get(const GradientReducer *reducer, int64_t value) {
    const SlotsReducer *slots = (const SlotsReducer *)reducer;
    return exact_sum_get(&slots->rest.sum, value - slots->rest.values.begin);
}

static uint64_t means_of_many(const SlotsReducer *slots, int64_t first, int64_t count, double divisor,
                              float *out) {
    uint64_t sums[BLOCK_VALUES], out_of_range = 0;
    for (int64_t s = 0; s < slots->all; s++)
        out_of_range += exact_sum_convert(slots->slots + s * slots->slot_floats + first, count, s > 0, sums);
    exact_sum_means(&(ExactSum){count, sums}, 0, count, divisor, out);
    return out_of_range;
}

static uint64_t means_of_block(const SlotsReducer *slots, int64_t first, int64_t count, double divisor,
                               float *out) {
    return slots->all > EXACT_SUM_FEW ? means_of_many(slots, first, count, divisor, out)
                                      : exact_sum_means_of_few(slots->all, slots->slots + first,
                                                               slots->slot_floats, count, divisor, out);
}

static void means(GradientReducer *reducer, Range values, double divisor, float *out) {
    const SlotsReducer *slots = (const SlotsReducer *)reducer;
    const int64_t rest = slots->rest.values.begin;
    if (values.begin >= rest) {
        exact_sum_means(&slots->rest.sum, values.begin - rest, range_size(values), divisor, out);
        return;
    }
    for (int64_t at = values.begin, count; at < values.end; at += count) {
        count = smaller(values.end - at, BLOCK_VALUES);
        reducer_count_out_of_range(reducer,
                                   means_of_block(slots, at, count, divisor, out + (at - values.begin)));
    }
}

const ReducerWay reducer_slots = {
    .name = "slots",
    .applies = applies,
    .create = create,
    .destroy = destroy,
    .begin = begin,
    .slot = next_slot,
    .add = add,
    .finish = finish,
    .get = get,
    .means = means,
};
