#include "cnn/micro_batch.h"

#include "core/integers.h"
#include "core/mem.h"
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

static void new_layer_buffers(MicroBatchWork *work, int i) {
    const Layer *layer = &work->net->layers[i];
    size_t values = (size_t)tensor_values(layer->out) * (size_t)work->micro_batch;
    if (layer->in_place)
        work->out[i] = i ? work->out[i - 1] : work->input;
    else
        work->out[i] = mem_new(values, sizeof(float));
    if (layer->type->has_mask) work->masks[i] = mem_new(values, 1);
    if (layer->type->kept_floats)
        work->kept[i] = mem_new((size_t)layer->type->kept_floats(layer), sizeof(float));
}

/* Floats of a gradient within a stage, of so many groups but no more than the micro-batch. */
static size_t largest_gradient(const Network *net, const MicroBatchPlan *plan, int64_t groups,
                               int64_t micro_batch) {
    int64_t largest = 0;
    for (int k = 0; k < plan->backward_count; k++) {
        const Stage *stage = &plan->backward[k];
        for (int i = stage->first; i < stage->end; i++) {
            int64_t values = smaller(groups * stage->group, micro_batch) * tensor_values(net->layers[i].in);
            if (values > largest) largest = values;
        }
    }
    return (size_t)largest;
}

MicroBatchWork *micro_batch_work_new(const Network *net, const MicroBatchSetup *setup) {
    MicroBatchWork *work = mem_new(1, sizeof *work);
    size_t samples = (size_t)setup->micro_batch, largest = (size_t)network_max_values(net);
    work->net = net;
    work->plan = micro_batch_plan_create(net, setup->micro_batch);
    work->micro_batch = setup->micro_batch;
    work->seed = setup->seed;
    work->augmentation = setup->augmentation;
    work->smoothing = setup->smoothing;
    work->class_weights = setup->class_weights;
    work->input = mem_new(samples * (size_t)image_spec_pixels(net->spec), sizeof(float));
    for (int i = 0; i < net->layer_count; i++)
        new_layer_buffers(work, i);
    work->gradient = mem_new(samples * largest, sizeof(float));
    work->next_gradient = mem_new(samples * largest, sizeof(float));
    const size_t stage_floats =
        largest_gradient(net, &work->plan, stage_few_groups(setup->team), setup->micro_batch);
    for (int k = 0; k < 2; k++)
        work->stage_gradient[k] = mem_new(stage_floats, sizeof(float));
    work->turns = mem_new((size_t)net->layer_count, sizeof *work->turns);
    work->source_gradient = mem_new(samples * (size_t)net->source_values, sizeof(float));
    work->probabilities = mem_new(samples * (size_t)net->spec.classes, sizeof(float));
    work->labels = mem_new(samples, 1);
    return work;
}

void micro_batch_work_free(MicroBatchWork **work_pointer) {
    MicroBatchWork *work = *work_pointer;
    if (!work) return;
    for (int i = 0; i < work->net->layer_count; i++) {
        if (!work->net->layers[i].in_place) mem_free(work->out[i]);
        mem_free(work->masks[i]);
        mem_free(work->kept[i]);
    }
    mem_free(work->input);
    mem_free(work->gradient);
    mem_free(work->next_gradient);
    mem_free(work->stage_gradient[0]);
    mem_free(work->stage_gradient[1]);
    mem_free(work->turns);
    mem_free(work->source_gradient);
    mem_free(work->probabilities);
    mem_free(work->labels);
    mem_free(work);
    *work_pointer = NULL;
}

MicroBatchScratch micro_batch_scratch_new(const Network *net, int micro_batch) {
    const MicroBatchPlan plan = micro_batch_plan_create(net, micro_batch);
    const size_t group_floats = largest_gradient(net, &plan, 1, micro_batch);
    return (MicroBatchScratch){
        .group_gradient = {mem_new(group_floats, sizeof(float)), mem_new(group_floats, sizeof(float))},
        .kernel_work = mem_new((size_t)network_work_floats(net, micro_batch), sizeof(float)),
        .random = mem_new((size_t)network_max_values(net) / 4 + 1, sizeof(uint32_t[4])),
    };
}

void micro_batch_scratch_free(MicroBatchScratch *scratch) {
    mem_free(scratch->group_gradient[0]);
    mem_free(scratch->group_gradient[1]);
    mem_free(scratch->kernel_work);
    mem_free(scratch->random);
    *scratch = (MicroBatchScratch){0};
}
