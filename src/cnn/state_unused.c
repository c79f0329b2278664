#include "cnn/state.h"

#include <stdio.h>
#include <string.h>

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
    return h5_visit(file, "/model", add_layer, &search, status);
}
