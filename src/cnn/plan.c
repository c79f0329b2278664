#include "cnn/plan.h"

/* Floats that a group's input and output of a layer may take, so that with weights and work memory they stay
 * in a second-level cache. */
enum { GROUP_FLOATS = 1 << 16 };

/* On images of one pixel dense layers dominate: they want many images for a pass over their weights. */
static bool wants_whole_micro_batch(const Layer *layer) {
    return layer->kind == LAYER_DENSE || (layer->in.height == 1 && layer->in.width == 1);
}

/* Whether a stage may not go over from layer `before` to layer `after`. */
static bool is_cut(const Layer *before, const Layer *after, bool norm_between) {
    return norm_between || wants_whole_micro_batch(before) != wants_whole_micro_batch(after);
}

static int group_of(const Network *net, const Stage *stage, bool back, int micro_batch) {
    int64_t largest = 1, least = 1;
    for (int i = stage->first; i < stage->end; i++) {
        const Layer *layer = &net->layers[i];
        if (wants_whole_micro_batch(layer)) return micro_batch;
        int64_t values = image_values(layer->in) + image_values(layer->out);
        if (values > largest) largest = values;
        if (back && layer->kind == LAYER_CONV && conv_images_wanted(&layer->conv) > least)
            least = conv_images_wanted(&layer->conv);
    }
    int64_t fitting = GROUP_FLOATS / largest;
    if (fitting < least) fitting = least;
    if (fitting >= micro_batch) return micro_batch;
    int groups = (micro_batch + (int)fitting - 1) / (int)fitting;
    return (micro_batch + groups - 1) / groups;
}

static Stage make_stage(const Network *net, int first, int end, bool back, int micro_batch) {
    Stage stage = {.first = first, .end = end};
    stage.group = group_of(net, &stage, back, micro_batch);
    return stage;
}

static void plan_forward(MicroBatchPlan *plan, const Network *net, int micro_batch) {
    const Layer *layers = net->layers;
    if (layers[0].kind == LAYER_NORM) /* gathers the moments of the images */
        plan->forward[plan->forward_count++] = make_stage(net, 0, 0, false, micro_batch);
    for (int first = 0, i = 1; i <= net->layer_count; i++) {
        if (i < net->layer_count && !is_cut(&layers[i - 1], &layers[i], layers[i].kind == LAYER_NORM))
            continue;
        plan->forward[plan->forward_count++] = make_stage(net, first, i, false, micro_batch);
        first = i;
    }
}

/* The place of the parameters of layer i and those after it. */
static int64_t params_from(const Network *net, int i) {
    for (; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        if (layer_has_weights(layer)) return net->arrays[layer->weight].first;
        if (layer->kind == LAYER_NORM) return net->arrays[layer->scale].first;
    }
    return net->param_floats;
}

static void plan_backward(MicroBatchPlan *plan, const Network *net, int micro_batch) {
    const Layer *layers = net->layers;
    /* of batch norm as the first trained layer only the sums are needed */
    const int bottom = net->first_trained + (layers[net->first_trained].kind == LAYER_NORM);
    int64_t params_end = net->param_floats;
    for (int end = net->layer_count, i = end - 1; i >= bottom; i--) {
        const bool norm_below = i > 0 && layers[i - 1].kind == LAYER_NORM;
        if (i > bottom && !is_cut(&layers[i - 1], &layers[i], norm_below)) continue;
        Stage stage = make_stage(net, i, end, true, micro_batch);
        stage.params = (Range){i == bottom ? 0 : params_from(net, norm_below ? i - 1 : i), params_end};
        plan->backward[plan->backward_count++] = stage;
        params_end = stage.params.begin;
        end = i;
    }
}

MicroBatchPlan micro_batch_plan_create(const Network *net, int micro_batch) {
    MicroBatchPlan plan = {0};
    plan_forward(&plan, net, micro_batch);
    plan_backward(&plan, net, micro_batch);
    return plan;
}
