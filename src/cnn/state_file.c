/* A state in its file. */
#include "cnn/state.h"

#include "cnn/gradient_blocks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH = NETWORK_NAME + 64 };

/* A copy of all parameters or statistics in a file: /ROOT/<layer>/<array>SUFFIX. */
typedef struct {
    const char *root, *suffix;
} Copy;

static void copy_path(const Copy *copy, const char *array, char path[PATH]) {
    snprintf(path, PATH, "%s/%s%s", copy->root, array, copy->suffix);
}

static StatusCode write_params(H5File *file, Copy copy, const Network *net, const float *params,
                               Status *status) {
    char path[PATH];
    for (int a = 0; a < net->array_count; a++) {
        const ParamArray *array = &net->arrays[a];
        copy_path(&copy, array->name, path);
        if (h5_write(file, path, H5_F32, array->shape, params + array->first, status)) return status->code;
    }
    return STATUS_OK;
}

static StatusCode write_statistics(H5File *file, Copy copy, const Network *net, const float *statistics,
                                   Status *status) {
    char path[PATH];
    for (int a = 0; a < net->statistic_count; a++) {
        const StatisticArray *array = &net->statistics[a];
        copy_path(&copy, array->name, path);
        if (h5_write(file, path, H5_F32, (H5Shape){1, {array->count}}, statistics + array->first, status))
            return status->code;
    }
    return STATUS_OK;
}

/* What readers of the file have to know of the layers: their order, how arrays lie, what batch norm adds. */
static StatusCode explain(H5File *file, const char *root, const Network *net, Status *status) {
    static const char *const layouts[] = {
        [1] = "channel",
        [2] = "input value (row, then column, then channel), unit",
        [4] = "kernel row, kernel column, input channel, filter",
    };
    char layers[NETWORK_MAX_LAYERS * LAYER_TEXT] = "", path[PATH];
    size_t used = 0;
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        used += (size_t)snprintf(layers + used, sizeof layers - used, "%s%s", i ? " " : "",
                                 *layer->name ? layer->name : layer->text);
        if (layer->type->statistic_count == 0) continue;
        snprintf(path, sizeof path, "%s/%s", root, layer->name);
        h5_set_f64(file, path, "epsilon", (double)NORM_EPSILON, status);
    }
    for (int a = 0; a < net->array_count; a++) {
        snprintf(path, sizeof path, "%s/%s", root, net->arrays[a].name);
        h5_set_text(file, path, "layout", layouts[net->arrays[a].shape.rank], status);
    }
    return h5_set_text(file, root, "layers", layers, status);
}

static StatusCode write_copy(H5File *file, Copy copy, const Network *net, const float *params,
                             const float *statistics, Status *status) {
    if (write_params(file, copy, net, params, status)) return status->code;
    return write_statistics(file, copy, net, statistics, status);
}

StatusCode train_state_write_model(H5File *file, const char *root, const Network *net, const float *params,
                                   const float *statistics, Status *status) {
    if (write_copy(file, (Copy){root, ""}, net, params, statistics, status)) return status->code;
    return explain(file, root, net, status);
}

static const Copy velocity_copy = {"/optimizer", "/momentum"}, trained_copy = {"/optimizer", "/value"},
                  average_copy = {"/optimizer", "/average"};

static const char ranges_path[] = "/optimizer/ranges";

static H5Shape ranges_shape(const TrainState *state) {
    return (H5Shape){1, {gradient_blocks_count(state->net->param_floats)}};
}

static StatusCode write_ranges(H5File *file, const TrainState *state, Status *status) {
    if (!state->ranges) return STATUS_OK;
    h5_write(file, ranges_path, H5_I32, ranges_shape(state), state->ranges, status);
    return h5_set_text(file, ranges_path, "units", "exponent of 2: gradients of a block are expected below",
                       status);
}

static StatusCode write_best(H5File *file, const TrainState *state, Status *status) {
    if (!state->follows_best) return status->code;
    h5_set_i64(file, "/state", "best_epoch", state->best_epoch, status);
    return h5_set_f64(file, "/state", "best_value", state->best_value, status);
}

/* Whether the file's model is the best epoch's, so that what training goes on from stands elsewhere. */
static bool best_is_model(const TrainState *state) {
    return state->best && state->best_epoch > 0;
}

StatusCode train_state_write(H5File *file, const void *context, Status *status) {
    const TrainState *state = context;
    const Network *net = state->net;
    const bool best = best_is_model(state);
    if (train_state_write_model(file, MODEL_ROOT, net, best ? state->best : train_state_model_params(state),
                                best ? state->best_statistics : train_state_model_statistics(state),
                                status) ||
        write_params(file, velocity_copy, net, state->velocity, status))
        return status->code;
    if ((state->average || best) &&
        write_copy(file, trained_copy, net, state->params, state->statistics, status))
        return status->code;
    if (state->average && best &&
        write_copy(file, average_copy, net, state->average, state->average_statistics, status))
        return status->code;
    if (write_best(file, state, status)) return status->code;
    if (write_ranges(file, state, status)) return status->code;
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
    if (h5_read(file, path, H5_F32, shape, values, status)) return status->code;
    return check_values(file, path, values, h5_shape_values(shape), least, status);
}

/* Whether an array, "LAYER/NAME", is of a layer. */
static bool is_of_layer(const char *array, const char *layer) {
    const size_t length = strlen(layer);
    return !strncmp(array, layer, length) && array[length] == '/';
}

/* All but those of the layer `renewed`; so does read_statistics. */
static StatusCode read_params(const H5File *file, Copy copy, const Network *net, const char *renewed,
                              float *params, Status *status) {
    char path[PATH];
    for (int a = 0; a < net->array_count; a++) {
        const ParamArray *array = &net->arrays[a];
        if (is_of_layer(array->name, renewed)) continue;
        copy_path(&copy, array->name, path);
        if (read_floats(file, path, array->shape, params + array->first, -INFINITY, status))
            return status->code;
    }
    return STATUS_OK;
}

static StatusCode read_statistics(const H5File *file, Copy copy, const Network *net, const char *renewed,
                                  float *statistics, Status *status) {
    char path[PATH];
    for (int a = 0; a < net->statistic_count; a++) {
        const StatisticArray *array = &net->statistics[a];
        if (is_of_layer(array->name, renewed)) continue;
        copy_path(&copy, array->name, path);
        if (read_floats(file, path, (H5Shape){1, {array->count}}, statistics + array->first, array->least,
                        status))
            return status->code;
    }
    return STATUS_OK;
}

static StatusCode read_copy(const H5File *file, Copy copy, const Network *net, const char *renewed,
                            float *params, float *statistics, Status *status) {
    if (read_params(file, copy, net, renewed, params, status)) return status->code;
    return read_statistics(file, copy, net, renewed, statistics, status);
}

StatusCode train_state_read_model(const H5File *file, const char *root, const Network *net, float *params,
                                  float *statistics, Status *status) {
    return read_copy(file, (Copy){root, ""}, net, "", params, statistics, status);
}

StatusCode train_state_read_layers(const H5File *file, const Network *net, const char *renewed, float *params,
                                   float *statistics, Status *status) {
    return read_copy(file, (Copy){MODEL_ROOT, ""}, net, renewed, params, statistics, status);
}

static StatusCode read_ranges(const TrainState *state, const H5File *file, Status *status) {
    const H5Shape shape = ranges_shape(state);
    if (!state->ranges || h5_read(file, ranges_path, H5_I32, shape, state->ranges, status))
        return status->code;
    for (int64_t b = 0; b < shape.dims[0]; b++)
        if (state->ranges[b] < BLOCK_FLOAT_LEAST_RANGE || state->ranges[b] > BLOCK_FLOAT_LARGEST_RANGE)
            return status_set(
                status, STATUS_FAILED,
                "%s: %s holds the range %d, expected %d to %d; the file is damaged, use another "
                "copy.",
                h5_path(file), ranges_path, state->ranges[b], BLOCK_FLOAT_LEAST_RANGE,
                BLOCK_FLOAT_LARGEST_RANGE);
    return STATUS_OK;
}

static StatusCode read_best(TrainState *state, const H5File *file, Status *status) {
    if (!state->follows_best) return status->code;
    h5_get_i64(file, "/state", "best_epoch", &state->best_epoch, status);
    return h5_get_f64(file, "/state", "best_value", &state->best_value, status);
}

/* /model: the best epoch's, the averages, or what is trained. */
static StatusCode read_model(TrainState *state, const H5File *file, Status *status) {
    const Network *net = state->net;
    if (best_is_model(state))
        return train_state_read_model(file, MODEL_ROOT, net, state->best, state->best_statistics, status);
    if (state->average)
        return train_state_read_model(file, MODEL_ROOT, net, state->average, state->average_statistics,
                                      status);
    return train_state_read_model(file, MODEL_ROOT, net, state->params, state->statistics, status);
}

StatusCode train_state_read(TrainState *state, const H5File *file, Status *status) {
    const Network *net = state->net;
    if (read_best(state, file, status)) return status->code;
    const bool best = best_is_model(state);
    if (read_model(state, file, status) || read_params(file, velocity_copy, net, "", state->velocity, status))
        return status->code;
    if ((state->average || best) &&
        read_copy(file, trained_copy, net, "", state->params, state->statistics, status))
        return status->code;
    if (state->average && best &&
        read_copy(file, average_copy, net, "", state->average, state->average_statistics, status))
        return status->code;
    if (read_ranges(state, file, status)) return status->code;
    if (h5_get_i64(file, "/state", "epoch", &state->epoch, status) ||
        h5_get_i64(file, "/state", "step", &state->step, status) ||
        h5_get_f64(file, "/state", "loss_sum", &state->loss_sum, status) ||
        h5_get_i64(file, "/state", "correct", &state->correct, status))
        return status->code;
    if (state->epoch >= 0 && state->step >= 0 && state->correct >= 0) return STATUS_OK;
    return status_set(status, STATUS_FAILED, "%s: a number of /state is below 0: the file is damaged.",
                      h5_path(file));
}
