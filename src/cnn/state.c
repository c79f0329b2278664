#include "cnn/state.h"

#include "cnn/gradient_blocks.h"

#include "core/mem.h"
#include "parallel/node_memory.h"

#include <string.h>

TrainState train_state_new(const Network *net, uint32_t seed, const CnnOptions *options) {
    TrainState state = {.net = net, .follows_best = cnn_follows_best(options)};
    const bool ranges = cnn_sum_bits(options) < 64;
    state.params = mem_new((size_t)net->param_floats, sizeof(float));
    state.velocity = mem_new((size_t)net->param_floats, sizeof(float));
    state.statistics = mem_new((size_t)net->statistic_floats, sizeof(float));
    network_init_params(net, seed, state.params);
    network_init_statistics(net, state.statistics);
    if (options->keep == CNN_KEEP_BEST) {
        state.best = mem_new((size_t)net->param_floats, sizeof(float));
        state.best_statistics = mem_new((size_t)net->statistic_floats, sizeof(float));
    }
    if (options->ema > 0) {
        state.average = mem_new((size_t)net->param_floats, sizeof(float));
        state.average_statistics = mem_new((size_t)net->statistic_floats, sizeof(float));
    }
    const int64_t blocks = gradient_blocks_count(net->param_floats);
    if (ranges) state.ranges = mem_new((size_t)blocks, sizeof *state.ranges);
    for (int64_t b = 0; ranges && b < blocks; b++)
        state.ranges[b] = BLOCK_FLOAT_FIRST_RANGE;
    return state;
}

void train_state_free(TrainState *state) {
    node_memory_free(state->node, state->params);
    node_memory_free(state->node, state->velocity);
    node_memory_free(state->node, state->average);
    node_memory_free(state->node, state->ranges);
    mem_free(state->statistics);
    mem_free(state->best);
    mem_free(state->best_statistics);
    mem_free(state->average_statistics);
    *state = (TrainState){0};
}

const float *train_state_model_params(const TrainState *state) {
    return state->average ? state->average : state->params;
}

const float *train_state_model_statistics(const TrainState *state) {
    return state->average ? state->average_statistics : state->statistics;
}

bool train_state_note_value(TrainState *state, int64_t epoch, double value) {
    const Network *net = state->net;
    if (state->best_epoch && !(value > state->best_value)) return false;
    state->best_epoch = epoch;
    state->best_value = value;
    if (!state->best) return true;
    memcpy(state->best, train_state_model_params(state), (size_t)net->param_floats * sizeof(float));
    memcpy(state->best_statistics, train_state_model_statistics(state),
           (size_t)net->statistic_floats * sizeof(float));
    return true;
}

/* The shared copy of values [n] of 4 bytes (NULL is allowed), which are freed. */
static void *share(void *values, int64_t n, const Comm *node) {
    enum { VALUE_BYTES = 4 };
    if (!values) return NULL;
    void *shared = node_memory_new(node, (size_t)n, VALUE_BYTES);
    if (comm_rank(node) == 0) memcpy(shared, values, (size_t)n * VALUE_BYTES);
    mem_free(values);
    return shared;
}

void train_state_share(TrainState *state, const Comm *node) {
    state->node = node;
    const int64_t n = state->net->param_floats;
    state->params = share(state->params, n, node);
    state->velocity = share(state->velocity, n, node);
    state->average = share(state->average, n, node);
    state->ranges = share(state->ranges, gradient_blocks_count(n), node);
    comm_barrier(node);
}
