#include "cnn/reducer.h"

#include "core/mem.h"
#include "parallel/node_memory.h"

extern const ReducerWay reducer_slots, reducer_buckets;

/* In the order of preference; the last one applies always. */
static const ReducerWay *const ways[] = {&reducer_slots, &reducer_buckets};

static const ReducerWay *choose_way(const ReducerPlan *plan) {
    int w = 0;
    while (ways[w]->applies && !ways[w]->applies(plan))
        w++;
    return ways[w];
}

GradientReducer *gradient_reducer_new(const Network *net, const MicroBatchPlan *micro_batch,
                                      int64_t most_micro_batches, const Comm *ranks, const Comm *node) {
    ReducerPlan plan = {net, micro_batch, most_micro_batches, node, NULL, comm_rank(node) == 0, 0};
    plan.leaders = comm_split(ranks, plan.is_leader ? 0 : 1);
    plan.nodes = comm_size(plan.leaders);
    comm_broadcast(node, &plan.nodes, sizeof plan.nodes, 0);
    const ReducerWay *way = choose_way(&plan);
    GradientReducer *reducer = way->create(&plan);
    reducer->way = way;
    reducer->plan = plan;
    reducer->counts = node_memory_new(node, 1, sizeof *reducer->counts);
    comm_barrier(node);
    return reducer;
}

void gradient_reducer_free(GradientReducer **pointer) {
    GradientReducer *reducer = *pointer;
    if (!reducer) return;
    reducer->way->destroy(reducer);
    node_memory_free(reducer->plan.node, reducer->counts);
    comm_destroy(&reducer->plan.leaders);
    mem_free(reducer);
    *pointer = NULL;
}

const char *gradient_reducer_way(const GradientReducer *reducer) {
    return reducer->way->name;
}

void gradient_reducer_begin(GradientReducer *reducer, int64_t micro_batches, int64_t all) {
    reducer->way->begin(reducer, micro_batches, all);
}

float *gradient_reducer_slot(GradientReducer *reducer) {
    return reducer->way->slot ? reducer->way->slot(reducer) : NULL;
}

void gradient_reducer_add(GradientReducer *reducer, Range values, const float *contribution, int turn) {
    if (range_size(values) > 0) reducer->way->add(reducer, values, contribution, turn);
}

bool gradient_reducer_poll(GradientReducer *reducer) {
    return reducer->way->poll ? reducer->way->poll(reducer) : true;
}

void gradient_reducer_finish(GradientReducer *reducer, bool signalled) {
    if (signalled) atomic_fetch_add(&reducer->counts->signalled, 1);
    comm_barrier(reducer->plan.node);
    reducer->way->finish(reducer);
}

bool gradient_reducer_signalled(const GradientReducer *reducer) {
    return atomic_load(&reducer->counts->signalled) > 0;
}

double gradient_reducer_get(const GradientReducer *reducer, int64_t value) {
    return reducer->way->get(reducer, value);
}

void gradient_reducer_means(GradientReducer *reducer, Range values, double divisor, float *out) {
    reducer->way->means(reducer, values, divisor, out);
}

bool gradient_reducer_out_of_range(const GradientReducer *reducer) {
    return atomic_load(&reducer->counts->out_of_range) > 0;
}
