#include "cnn/train_update.h"

#include "core/integers.h"
#include "core/timer.h"
#include "parallel/block_float.h"

#include <omp.h>

enum { UPDATE_BLOCK = BLOCK_FLOAT_VALUES }; /* floats */

/* By all threads of all ranks of the node. */
static void node_barrier(TrainUpdate *update) {
    const Comm *node = update->step->node;
#pragma omp barrier
    if (comm_size(node) == 1) return;
    if (omp_get_thread_num() == 0) {
        double began_s = timer_now_s();
        comm_barrier(node);
        update->wait_s += timer_now_s() - began_s;
        trace_end(trace_thread(update->step->trace, 0), TRACE_WAIT, began_s, 0, 0);
    }
#pragma omp barrier
}

/* Layer-wise rates from the whole gradient; range is the worker's part of it. */
static void find_rates(TrainUpdate *update, Range range, int worker) {
    TrainStep *step = update->step;
    const Network *net = step->net;
    gradient_reducer_means(step->reducer, range, update->micro_batches, step->gradient + range.begin);
    node_barrier(update);
    for (int a = worker; a < net->array_count; a += step->workers)
        step->rates[a] = lars_rate(&step->sgd, &net->arrays[a], step->gradient, update->state->params);
    node_barrier(update);
}

/* In blocks, each of which is in the cache from its sums to its averages. */
static void update_params(const TrainUpdate *update, Range range) {
    const TrainStep *step = update->step;
    TrainState *state = update->state;
    Range block = {range.begin, range.begin};
    for (; block.begin < range.end; block.begin = block.end) {
        float means[UPDATE_BLOCK];
        const float *gradient = means;
        block.end = block.begin + UPDATE_BLOCK < range.end ? block.begin + UPDATE_BLOCK : range.end;
        if (step->rates)
            gradient = step->gradient + block.begin;
        else
            gradient_reducer_means(step->reducer, block, update->micro_batches, means);
        sgd_step(step->net, &step->sgd, update->place.lr, step->rates, block, gradient, state->params,
                 state->velocity);
        if (state->average) ema_step(update->place.average_share, block, state->params, state->average);
    }
}

/* This worker's part of the parameters, in whole blocks: so vectors hold the same elements for any number of
 * workers, and a block's range is followed by one of them. */
static Range worker_range(const TrainStep *step, int worker) {
    const int64_t n = step->net->param_floats, blocks = divide_up(n, UPDATE_BLOCK);
    const Range mine = partition_range(blocks, step->workers, worker);
    return (Range){smaller(mine.begin * UPDATE_BLOCK, n), smaller(mine.end * UPDATE_BLOCK, n)};
}

/* A thread's share of the update. */
static void run_worker(TrainUpdate *update) {
    const TrainStep *step = update->step;
    const int worker = step->first_worker + omp_get_thread_num();
    const Range range = worker_range(step, worker);
    TraceThread *trace = trace_thread(step->trace, omp_get_thread_num());
    const double traced_s = trace_begin(trace);
    if (step->rates) find_rates(update, range, worker);
    update_params(update, range);
    if (worker == 0) packed_weights_restart(&step->packed);
    node_barrier(update);
    /* before the next barrier, behind which a rank may be in the next step */
    if (omp_get_thread_num() == 0) update->diverged = gradient_reducer_out_of_range(step->reducer);
    packed_weights_fill(step->net, update->state->params, &step->packed);
    node_barrier(update);
    trace_end(trace, TRACE_UPDATE, traced_s, 0, 0);
}

/* running = (1 - m) * running + m * batch */
static void update_statistics(const TrainUpdate *update) {
    TrainStep *step = update->step;
    TrainState *state = update->state;
    const int64_t first = step->net->param_floats, n = step->net->statistic_floats;
    float m = step->norm_momentum;
    gradient_reducer_means(step->reducer, (Range){first, first + n},
                           update->micro_batches * NETWORK_STATISTIC_UNIT, step->batch_statistics);
    for (int64_t i = 0; i < n; i++)
        state->statistics[i] = (1 - m) * state->statistics[i] + m * step->batch_statistics[i];
    if (state->average)
        ema_step(update->place.average_share, (Range){0, n}, state->statistics, state->average_statistics);
}

void train_update_run(TrainUpdate *update) {
    update_statistics(update);
#pragma omp parallel num_threads(update->step->threads)
    run_worker(update);
}
