#include "cnn/reducer.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/rng.h"
#include "parallel/exact_sum.h"
#include "parallel/node_memory.h"

#include <math.h>

extern const ReducerMethod reducer_slots, reducer_buckets;

/* In the order of preference; the last one applies always. */
static const ReducerMethod *const methods[] = {&reducer_slots, &reducer_buckets};

static const ReducerMethod *choose_method(const ReducerPlan *plan) {
    size_t m = 0;
    while (m + 1 < sizeof methods / sizeof *methods && !methods[m]->applies(plan))
        m++;
    return methods[m];
}

static void init_blocks(GradientReducer *reducer) {
    const Reduction *what = &reducer->plan.what;
    const int64_t blocks = gradient_blocks_count(what->net->param_floats);
    if (what->bits == 64) return;
    reducer->blocks = (GradientBlocks){
        .format = block_float_of(what->bits, what->most_micro_batches),
        .ranges = what->ranges,
        .clamped = node_memory_new(reducer->plan.node, (size_t)blocks, sizeof *reducer->blocks.clamped),
    };
}

GradientReducer *gradient_reducer_new(const Reduction *what, const Comm *ranks, const Comm *node) {
    ReducerPlan plan = {*what, node, NULL, comm_rank(node) == 0, 0};
    plan.leaders = comm_split(ranks, plan.is_leader ? 0 : 1);
    plan.nodes = comm_size(plan.leaders);
    comm_broadcast(node, &plan.nodes, sizeof plan.nodes, 0);
    const ReducerMethod *method = choose_method(&plan);
    GradientReducer *reducer = mem_new(1, method->bytes);
    reducer->method = method;
    reducer->plan = plan;
    reducer->counts = node_memory_new(node, 1, sizeof *reducer->counts);
    init_blocks(reducer);
    method->init(reducer);
    comm_barrier(node);
    return reducer;
}

void gradient_reducer_free(GradientReducer **pointer) {
    GradientReducer *reducer = *pointer;
    if (!reducer) return;
    reducer->method->clear(reducer);
    node_memory_free(reducer->plan.node, reducer->blocks.clamped);
    node_memory_free(reducer->plan.node, reducer->counts);
    comm_destroy(&reducer->plan.leaders);
    mem_free(reducer);
    *pointer = NULL;
}

void gradient_reducer_trace(GradientReducer *reducer, TraceThread *trace) {
    reducer->trace = trace;
}

void gradient_reducer_begin(GradientReducer *reducer, const ReducerStep *step) {
    reducer->step = *step;
    if (reducer->blocks.ranges) reducer->blocks.format = block_float_of(reducer->plan.what.bits, step->all);
    if (reducer->method->begin) reducer->method->begin(reducer);
}

float *gradient_reducer_slot(GradientReducer *reducer, int64_t micro_batch) {
    return reducer->method->slot ? reducer->method->slot(reducer, micro_batch) : NULL;
}

uint32_t reducer_rounding_key(const GradientReducer *reducer, int64_t micro_batch) {
    const ReducerStep *step = &reducer->step;
    uint32_t bits[4];
    rng_u32x4((RngKey){reducer->plan.what.seed, RNG_ROUNDING}, step->epoch, step->step,
              (uint32_t)(step->first + micro_batch), bits);
    return bits[0];
}

void gradient_reducer_add(GradientReducer *reducer, int64_t micro_batch, Range values,
                          const float *contribution, int turn) {
    if (range_size(values) == 0) return;
    const Contribution added = {contribution, reducer_rounding_key(reducer, micro_batch), turn};
    reducer->method->add(reducer, values, &added);
}

bool gradient_reducer_poll(GradientReducer *reducer) {
    return reducer->method->poll ? reducer->method->poll(reducer) : true;
}

void gradient_reducer_finish(GradientReducer *reducer, bool signalled) {
    if (signalled) atomic_fetch_add(&reducer->counts->signalled, 1);
    comm_barrier(reducer->plan.node);
    reducer->method->finish(reducer);
}

ReducerTimes gradient_reducer_times(const GradientReducer *reducer) {
    return reducer->counts->times;
}

bool gradient_reducer_signalled(const GradientReducer *reducer) {
    return atomic_load(&reducer->counts->signalled) > 0;
}

double gradient_reducer_get(const GradientReducer *reducer, int64_t value) {
    return reducer->method->get(reducer, value);
}

void gradient_reducer_means(GradientReducer *reducer, Range values, double divisor, float *out) {
    reducer->method->means(reducer, values, divisor, out);
}

/* The place of a value among possible causes, and the value at a place: the forward pass and then the
 * backward pass. */
static int64_t cause_place(const Network *net, int64_t value) {
    const int64_t others = contribution_floats(net) - net->param_floats;
    return value >= net->param_floats ? value - net->param_floats : others + net->param_floats - 1 - value;
}

static int64_t cause_at(const Network *net, int64_t place) {
    const int64_t others = contribution_floats(net) - net->param_floats;
    return place < others ? net->param_floats + place : others + net->param_floats - 1 - place;
}

static bool is_in_range(float value) {
    return fabsf(value) < (float)(1 << EXACT_SUM_LIMIT); /* NaN isn't */
}

void reducer_note_out_of_range(GradientReducer *reducer, uint64_t count, Range values,
                               const float *contribution) {
    if (!count) return;
    const Network *net = reducer->plan.what.net;
    int64_t first = INT64_MAX;
    atomic_fetch_add(&reducer->counts->out_of_range, count);
    for (int64_t v = values.begin; v < values.end && v < contribution_floats(net); v++)
        if (!contribution || !is_in_range(contribution[v])) first = smaller(first, cause_place(net, v) + 1);
    int_fast64_t worst = atomic_load(&reducer->counts->worst);
    while (first < INT64_MAX && (worst == 0 || first < worst))
        if (atomic_compare_exchange_weak(&reducer->counts->worst, &worst, first)) break;
}

int64_t gradient_reducer_cause(const GradientReducer *reducer) {
    const int64_t worst = atomic_load(&reducer->counts->worst);
    return worst ? cause_at(reducer->plan.what.net, worst - 1) : -1;
}

bool gradient_reducer_out_of_range(const GradientReducer *reducer) {
    return atomic_load(&reducer->counts->out_of_range) > 0;
}
