/* A training that begins with the weights of another model. */
#include "cnn/state.h"

#include <stdio.h>
#include <string.h>

enum { PATH = NETWORK_NAME + sizeof MODEL_ROOT };

/* The last layer that has arrays of parameters; NULL if none has. */
static const Layer *last_weighted(const Network *net) {
    for (int i = net->layer_count - 1; i >= 0; i--)
        if (net->layers[i].arrays[0] >= 0) return &net->layers[i];
    return NULL;
}

static bool same_shape(const H5File *file, const char *path, H5Shape expected) {
    H5Shape shape;
    Status ignored = {0};
    return h5_exists(file, path) && !h5_shape(file, path, &shape, &ignored) &&
           h5_shape_equal(shape, expected);
}

static void model_path(const char *array, char path[PATH]) {
    snprintf(path, PATH, "%s/%s", MODEL_ROOT, array);
}

/* The first array of the layer that isn't in the file as the network has it; NULL: the layer fits. */
static const ParamArray *find_misfit(const Network *net, const Layer *layer, const H5File *file) {
    char path[PATH];
    for (int k = 0; k < LAYER_ARRAYS; k++) {
        if (layer->arrays[k] < 0) continue;
        const ParamArray *array = &net->arrays[layer->arrays[k]];
        model_path(array->name, path);
        if (!same_shape(file, path, array->shape)) return array;
    }
    return NULL;
}

static StatusCode refuse_layer(const H5File *file, const Layer *layer, const ParamArray *misfit,
                               Status *status) {
    char path[PATH];
    model_path(misfit->name, path);
    /* of the right weights: batch norm follows the layer there, but not here */
    if (!h5_exists(file, path) && strcmp(strrchr(path, '/'), "/weight"))
        return status_set(status, STATUS_USAGE,
                          "--init %s: its layer %s has no %s, as bn follows it there: all layers but the "
                          "last must be those of the model (cnn.layers).",
                          h5_path(file), layer->name, strrchr(path, '/') + 1);
    return status_set(status, STATUS_USAGE,
                      "--init %s has no layer %s of this shape (%s in cnn.layers): all layers but the last "
                      "must be those of the model.",
                      h5_path(file), layer->name, layer->text);
}

StatusCode train_state_read_init(TrainState *state, const H5File *file, char renewed[LAYER_TEXT],
                                 Status *status) {
    const Network *net = state->net;
    const Layer *last = last_weighted(net);
    bool takes_any = false;
    *renewed = 0;
    if (h5_exists(file, MODEL_ROOT "/members"))
        return status_set(status, STATUS_USAGE, "--init %s is an ensemble: give a model of one network.",
                          h5_path(file));
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        if (layer->arrays[0] < 0) continue;
        const ParamArray *misfit = find_misfit(net, layer, file);
        takes_any = takes_any || !misfit;
        if (!misfit) continue;
        if (layer != last) return refuse_layer(file, layer, misfit, status);
        snprintf(renewed, LAYER_TEXT, "%s", layer->name);
    }
    if (!takes_any)
        return status_set(status, STATUS_USAGE,
                          "--init %s: none of its weights fits the network, so nothing of it would be used: "
                          "omit --init, or make cnn.layers and the images those of that model.",
                          h5_path(file));
    return train_state_read_layers(file, net, renewed, state->params, state->statistics, status);
}

/* What visiting the arrays of a model carries along. */
typedef struct {
    const Network *net;
    char last[LAYER_TEXT]; /* the layer that was added last: its arrays follow each other */
    char *names;
    size_t size;
} Search;

static bool has_layer(const Network *net, const char *name) {
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].arrays[0] >= 0 && !strcmp(net->layers[i].name, name)) return true;
    return false;
}

/* path: /model/LAYER/ARRAY */
static void add_layer(const char *path, bool is_array, void *context) {
    Search *search = context;
    char layer[LAYER_TEXT];
    if (!is_array || sscanf(path, "/model/%31[^/]/", layer) != 1) return;
    if (has_layer(search->net, layer) || !strcmp(search->last, layer)) return;
    const size_t used = strlen(search->names);
    snprintf(search->names + used, search->size - used, "%s%s", used ? ", " : "", layer);
    memcpy(search->last, layer, sizeof layer);
}

StatusCode train_state_find_unused(const Network *net, const H5File *file, char *names, size_t size,
                                   Status *status) {
    Search search = {.net = net, .names = names, .size = size};
    *names = 0;
    return h5_visit(file, MODEL_ROOT, add_layer, &search, status);
}
