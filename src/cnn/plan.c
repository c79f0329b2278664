#include "cnn/plan.h"

#include "core/integers.h"

/* Floats that a group's input and output of a layer may take, so that with weights and work memory they stay
 * in a second-level cache. */
enum { CACHED_FLOATS = 1 << 16 };

/* On images of one pixel dense layers dominate: they want many images for a pass over their weights. */
static bool wants_whole_micro_batch(const Layer *layer) {
    return layer->type->whole_micro_batch || (layer->in.height == 1 && layer->in.width == 1);
}

/* Whether a stage may not go over from layer `before` to layer `after`. */
static bool is_cut(const Layer *before, const Layer *after, bool gathers) {
    return gathers || wants_whole_micro_batch(before) != wants_whole_micro_batch(after);
}

static int group_of(const Network *net, const Stage *stage, bool back, int micro_batch) {
    int64_t largest = 1, least = 1;
    for (int i = stage->first; i < stage->end; i++) {
        const Layer *layer = &net->layers[i];
        if (wants_whole_micro_batch(layer)) return micro_batch;
        int64_t values = tensor_values(layer->in) * (layer->source < 0 ? 1 : 2) + tensor_values(layer->out);
        int wanted = back && layer->type->images_wanted ? layer->type->images_wanted(layer) : 1;
        if (values > largest) largest = values;
        if (wanted > least) least = wanted;
    }
    int64_t fitting = CACHED_FLOATS / largest;
    if (fitting < least) fitting = least;
    if (fitting >= micro_batch) return micro_batch;
    const int64_t groups = divide_up(micro_batch, fitting);
    return (int)divide_up(micro_batch, groups);
}

static Stage make_stage(const Network *net, int first, int end, bool back, int micro_batch) {
    Stage stage = {.first = first, .end = end};
    stage.group = group_of(net, &stage, back, micro_batch);
    return stage;
}

static void plan_forward(MicroBatchPlan *plan, const Network *net, int micro_batch) {
    const Layer *layers = net->layers;
    if (layers[0].type->gather)
        plan->forward[plan->forward_count++] = make_stage(net, 0, 0, false, micro_batch);
    for (int first = 0, i = 1; i <= net->layer_count; i++) {
        if (i < net->layer_count && !is_cut(&layers[i - 1], &layers[i], layers[i].type->gather != NULL))
            continue;
        plan->forward[plan->forward_count++] = make_stage(net, first, i, false, micro_batch);
        first = i;
    }
}

/* The place of the parameters of layer i and those after it. */
static int64_t params_from(const Network *net, int i) {
    for (; i < net->layer_count; i++) {
        const int array = net->layers[i].arrays[0];
        if (array >= 0) return net->arrays[array].first;
    }
    return net->param_floats;
}

static void plan_backward(MicroBatchPlan *plan, const Network *net, int micro_batch) {
    const Layer *layers = net->layers;
    /* of a first trained layer that gathers only the gathered sums are needed */
    const int bottom = net->first_trained + (layers[net->first_trained].type->gather != NULL);
    int64_t params_end = net->param_floats;
    for (int end = net->layer_count, i = end - 1; i >= bottom; i--) {
        const bool gathers_below = i > 0 && layers[i - 1].type->gather;
        if (i > bottom && !is_cut(&layers[i - 1], &layers[i], gathers_below)) continue;
        Stage stage = make_stage(net, i, end, true, micro_batch);
        stage.params = (Range){i == bottom ? 0 : params_from(net, gathers_below ? i - 1 : i), params_end};
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
