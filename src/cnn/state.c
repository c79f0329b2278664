#include "state.h"

#include "pardigits/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 2 * NETWORK_NAME + 64 };

TrainState train_state_new(const Network *net, uint32_t seed) {
    TrainState state = {.net = net};
    state.params = mem_new((size_t)net->param_floats, sizeof(float));
    state.velocity = mem_new((size_t)net->param_floats, sizeof(float));
    state.statistics = mem_new((size_t)net->statistic_floats, sizeof(float));
    network_init_params(net, seed, state.params);
    network_init_statistics(net, state.statistics);
    return state;
}

void train_state_free(TrainState *state) {
    mem_free(state->params);
    mem_free(state->velocity);
    mem_free(state->statistics);
    *state = (TrainState){0};
}

static StatusCode write_array(H5File *file, const TrainState *state, const ParamArray *array,
                              Status *status) {
    char path[PATH];
    snprintf(path, sizeof path, "/model/%s", array->name);
    if (h5_write(file, path, H5_F32, array->shape, state->params + array->first, status)) return status->code;
    snprintf(path, sizeof path, "/optimizer/%s/momentum", array->name);
    return h5_write(file, path, H5_F32, array->shape, state->velocity + array->first, status);
}

static StatusCode write_statistics(H5File *file, const TrainState *state, const Layer *layer,
                                   Status *status) {
    char path[PATH];
    int channels = layer->in.channels;
    const float *mean = state->statistics + layer->statistics;
    snprintf(path, sizeof path, "/model/%s/mean", layer->name);
    if (h5_write(file, path, H5_F32, (H5Shape){1, {channels}}, mean, status)) return status->code;
    snprintf(path, sizeof path, "/model/%s/variance", layer->name);
    return h5_write(file, path, H5_F32, (H5Shape){1, {channels}}, mean + channels, status);
}

StatusCode train_state_write(H5File *file, const void *context, Status *status) {
    const TrainState *state = context;
    const Network *net = state->net;
    for (int a = 0; a < net->array_count; a++)
        if (write_array(file, state, &net->arrays[a], status)) return status->code;
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].kind == LAYER_NORM && write_statistics(file, state, &net->layers[i], status))
            return status->code;
    if (h5_set_i64(file, "/state", "epoch", state->epoch, status) ||
        h5_set_i64(file, "/state", "step", state->step, status) ||
        h5_set_f64(file, "/state", "loss_sum", state->loss_sum, status) ||
        h5_set_i64(file, "/state", "correct", state->correct, status))
        return status->code;
    return STATUS_OK;
}

static StatusCode check_values(const H5File *file, const char *path, const float *values, int64_t n,
                               float least, Status *status) {
    for (int64_t i = 0; i < n; i++)
        if (!(isfinite(values[i]) && values[i] >= least))
            return status_set(
                status, STATUS_FAILED,
                "%s: %s holds the value %g, which no training leaves there; the file is damaged, train "
                "again or use another copy.",
                h5_path(file), path, (double)values[i]);
    return STATUS_OK;
}

static StatusCode read_floats(const H5File *file, const char *path, H5Shape shape, float *values, float least,
                              Status *status) {
    int64_t n = 1;
    for (int d = 0; d < shape.rank; d++)
        n *= shape.dims[d];
    if (h5_read(file, path, H5_F32, shape, values, status)) return status->code;
    return check_values(file, path, values, n, least, status);
}

StatusCode train_state_read_model(const Network *net, const H5File *file, float *params, float *statistics,
                                  Status *status) {
    char path[PATH];
    for (int a = 0; a < net->array_count; a++) {
        const ParamArray *array = &net->arrays[a];
        snprintf(path, sizeof path, "/model/%s", array->name);
        if (read_floats(file, path, array->shape, params + array->first, -INFINITY, status))
            return status->code;
    }
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        if (layer->kind != LAYER_NORM) continue;
        H5Shape shape = {1, {layer->in.channels}};
        float *mean = statistics + layer->statistics;
        snprintf(path, sizeof path, "/model/%s/mean", layer->name);
        if (read_floats(file, path, shape, mean, -INFINITY, status)) return status->code;
        snprintf(path, sizeof path, "/model/%s/variance", layer->name);
        if (read_floats(file, path, shape, mean + layer->in.channels, 0, status)) return status->code;
    }
    return STATUS_OK;
}

StatusCode train_state_read(TrainState *state, const H5File *file, Status *status) {
    const Network *net = state->net;
    if (train_state_read_model(net, file, state->params, state->statistics, status)) return status->code;
    for (int a = 0; a < net->array_count; a++) {
        char path[PATH];
        const ParamArray *array = &net->arrays[a];
        snprintf(path, sizeof path, "/optimizer/%s/momentum", array->name);
        if (read_floats(file, path, array->shape, state->velocity + array->first, -INFINITY, status))
            return status->code;
    }
    if (h5_get_i64(file, "/state", "epoch", &state->epoch, status) ||
        h5_get_i64(file, "/state", "step", &state->step, status) ||
        h5_get_f64(file, "/state", "loss_sum", &state->loss_sum, status) ||
        h5_get_i64(file, "/state", "correct", &state->correct, status))
        return status->code;
    return STATUS_OK;
}

/* FNV-1a of the parameters' bits, word by word; below 2^53, so that a double holds it. */
static double hash_params(const TrainState *state) {
    uint64_t hash = 0xcbf29ce484222325;
    for (int64_t i = 0; i < state->net->param_floats; i++) {
        uint32_t bits;
        memcpy(&bits, &state->params[i], sizeof bits);
        hash = (hash ^ bits) * 0x100000001b3;
    }
    return (double)(hash >> 11);
}

StatusCode train_state_compare_ranks(const TrainState *state, const Comm *comm, Status *status) {
    double hash = hash_params(state);
    int largest_rank, smallest_rank;
    double largest = comm_max(comm, hash, &largest_rank), smallest = -comm_max(comm, -hash, &smallest_rank);
    if (largest == smallest) return STATUS_OK;
    return status_set(
        status, STATUS_FAILED,
        "The models of ranks %d and %d differ after epoch %lld, so one of them computes wrongly or was "
        "built differently; run again with one build on nodes of one kind.",
        smallest_rank, largest_rank, (long long)state->epoch);
}
