#include "cnn/layer.h"

#include <string.h>

/* All types, in the order in which messages name them: layer_TYPE is defined in layer_TYPE.c. */
#define LAYER_TYPES(TYPE)                                                                                    \
    TYPE(conv)                                                                                               \
    TYPE(dense)                                                                                              \
    TYPE(pool)                                                                                               \
    TYPE(average_pool)                                                                                       \
    TYPE(norm)                                                                                               \
    TYPE(relu)                                                                                               \
    TYPE(dropout)                                                                                            \
    TYPE(add)

#define DECLARE(type) extern const LayerType layer_##type;
#define ADDRESS(type) &layer_##type,

LAYER_TYPES(DECLARE)

const LayerType *const layer_types[] = {LAYER_TYPES(ADDRESS)};
const int layer_type_count = sizeof layer_types / sizeof *layer_types;

const LayerType *layer_type_find(const char *word) {
    for (int t = 0; t < layer_type_count; t++)
        if (!strcmp(layer_types[t]->word, word)) return layer_types[t];
    return NULL;
}
