#include "cnn/packed_weights.h"

#include "parallel/node_memory.h"

#include <stdatomic.h>

PackedWeights packed_weights_new(const Network *net, const Comm *node) {
    PackedWeights packed = {.node = node, .next_task = node_memory_new(node, 1, sizeof(_Atomic int))};
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        if (!layer->type->multiplies) continue;
        size_t size = (size_t)conv_packed_size(&layer->conv);
        packed.forward[i] = node_memory_new(node, size, sizeof(float));
        if (i > net->first_trained) packed.backward[i] = node_memory_new(node, size, sizeof(float));
    }
    return packed;
}

void packed_weights_free(PackedWeights *packed) {
    for (int i = 0; i < NETWORK_MAX_LAYERS; i++) {
        node_memory_free(packed->node, packed->forward[i]);
        node_memory_free(packed->node, packed->backward[i]);
    }
    node_memory_free(packed->node, packed->next_task);
    *packed = (PackedWeights){0};
}

/* Two tasks a layer: forward and backward. */
static void run_task(const Network *net, const float *params, const PackedWeights *packed, int task) {
    const int i = task / 2;
    const Layer *layer = &net->layers[i];
    if (!layer->type->multiplies) return;
    const float *weights = params + net->arrays[layer->arrays[LAYER_WEIGHT]].first;
    if (task % 2 == 0)
        conv_pack_forward(&layer->conv, weights, packed->forward[i]);
    else if (packed->backward[i])
        conv_pack_backward(&layer->conv, weights, packed->backward[i]);
}

void packed_weights_fill(const Network *net, const float *params, const PackedWeights *packed) {
    int task;
    while ((task = atomic_fetch_add(packed->next_task, 1)) < 2 * net->layer_count)
        run_task(net, params, packed, task);
}

void packed_weights_restart(const PackedWeights *packed) {
    atomic_store(packed->next_task, 0);
}
