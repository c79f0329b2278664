#include "cnn/layer.h"

#include <string.h>

extern const LayerType layer_conv, layer_dense, layer_pool, layer_average_pool, layer_norm, layer_relu,
    layer_dropout, layer_add;

const LayerType *const layer_types[] = {
    &layer_conv, &layer_dense, &layer_pool,    &layer_average_pool,
    &layer_norm, &layer_relu,  &layer_dropout, &layer_add,
};

const int layer_type_count = sizeof layer_types / sizeof *layer_types;

const LayerType *layer_type_find(const char *word) {
    for (int t = 0; t < layer_type_count; t++)
        if (!strcmp(layer_types[t]->word, word)) return layer_types[t];
    return NULL;
}
