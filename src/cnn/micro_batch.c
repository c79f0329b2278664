#include "cnn/micro_batch.h"

#include "core/timer.h"

/* One micro-batch under way. */
typedef struct {
    MicroBatchWork *work;
    const Network *net;
    const MicroBatch *batch;
    int n;
} MicroBatchRun;

/* Some images of it. */
typedef struct {
    int first, n;
} Group;

/* A group's part of an array [images][layer->out]. */
static int64_t part_of(const Layer *layer, Group group) {
    return group.first * tensor_values(layer->out);
}

/* Gradients of a source's output. */
static float *source_gradient(const MicroBatchRun *run, int source, Group group) {
    const Layer *layer = &run->net->layers[source];
    return run->work->source_gradient + layer->source_first * run->work->micro_batch + part_of(layer, group);
}

static void set_arrays(const MicroBatchRun *run, LayerPass *pass) {
    for (int k = 0; k < LAYER_ARRAYS; k++) {
        if (pass->layer->arrays[k] < 0) continue;
        const int64_t first = run->net->arrays[pass->layer->arrays[k]].first;
        pass->params[k] = run->batch->params + first;
        pass->param_gradients[k] = run->batch->contribution + first;
    }
}

/* What layer i works on, but for gradients. */
static LayerPass pass_of(const MicroBatchRun *run, int i, Group group) {
    const MicroBatchWork *work = run->work;
    const Layer *layer = &run->net->layers[i];
    LayerPass pass = {
        .layer = layer,
        .n = group.n,
        .first = group.first,
        .all = run->n,
        .micro_batch = work->micro_batch,
        .relu = layer->does_relu,
        .in = (i ? work->out[i - 1] : work->input) + group.first * tensor_values(layer->in),
        .out = work->out[i] + part_of(layer, group),
        .packed = run->batch->packed->forward[i],
        .packed_back = run->batch->packed->backward[i],
        .statistics = run->batch->contribution + run->net->param_floats + layer->statistics,
        .kept = work->kept[i],
        .mask = work->masks[i] ? work->masks[i] + part_of(layer, group) : NULL,
        .work = work->kernel_work,
    };
    if (layer->source >= 0)
        pass.source = work->out[layer->source] + part_of(&run->net->layers[layer->source], group);
    set_arrays(run, &pass);
    return pass;
}

static Group next_group(const MicroBatchRun *run, const Stage *stage, int first) {
    int left = run->n - first;
    return (Group){first, left < stage->group ? left : stage->group};
}

static void tell_group_done(const MicroBatchRun *run) {
    const MicroBatchEvents *events = run->batch->events;
    if (events) events->group_done(events->context);
}

static void tell_values_ready(const MicroBatchRun *run, Range values) {
    const MicroBatchEvents *events = run->batch->events;
    if (events) events->values_ready(events->context, values);
}

static void forward_layer(const MicroBatchRun *run, int i, Group group) {
    LayerPass pass = pass_of(run, i, group);
    const LayerDraw draw = {run->work->seed, run->batch->epoch, (uint32_t)i,
                            run->batch->samples.indices + group.first, run->work->random};
    pass.draw = &draw;
    pass.layer->type->forward(&pass);
}

/* The layer at the border of a stage that gathers what the stage brings; NULL: it doesn't, or isn't there. */
static const LayerType *gathering_layer(const MicroBatchRun *run, int i) {
    if (i < 0 || i >= run->net->layer_count) return NULL;
    return run->net->layers[i].type->gather ? run->net->layers[i].type : NULL;
}

static void run_forward(const MicroBatchRun *run, const Stage *stage) {
    const LayerType *gathering = gathering_layer(run, stage->end);
    LayerPass pass;
    Group group;
    for (int first = 0; first < run->n; first += group.n) {
        group = next_group(run, stage, first);
        for (int i = stage->first; i < stage->end; i++)
            forward_layer(run, i, group);
        if (gathering) {
            pass = pass_of(run, stage->end, group);
            gathering->gather(&pass);
        }
        tell_group_done(run);
    }
    if (gathering) gathering->gathered(&pass);
}

/* The last layer that a stage passes on the way back and that writes its gradient elsewhere; -1: none. */
static int last_out_of_place_layer(const MicroBatchRun *run, const Stage *stage) {
    for (int i = stage->first; i < stage->end; i++)
        if (!run->net->layers[i].type->gradient_in_place) return i;
    return -1;
}

/* Whether somebody needs the gradient of layer i's output. */
static bool needs_gradient(const MicroBatchRun *run, int i) {
    return i >= run->net->first_trained;
}

static void backward_layer(const MicroBatchRun *run, int i, Group group, float *gradient,
                           float *in_gradient) {
    const Network *net = run->net;
    LayerPass pass = pass_of(run, i, group);
    pass.gradient = gradient;
    pass.in_gradient = in_gradient;
    if (pass.layer->source >= 0 && needs_gradient(run, pass.layer->source))
        pass.source_gradient = source_gradient(run, pass.layer->source, group);
    pass.layer->type->backward(&pass);
    /* what came here from layers that took the output of the one below */
    if (i > 0 && net->layers[i - 1].is_source && needs_gradient(run, i - 1))
        add_forward(group.n * tensor_values(pass.layer->in), in_gradient, source_gradient(run, i - 1, group),
                    false, in_gradient);
}

/* Returns the gradient of the stage's input. */
static float *backward_group(const MicroBatchRun *run, const Stage *stage, int last_out_of_place,
                             Group group) {
    const Layer *layers = run->net->layers;
    float *gradient = run->work->gradient + part_of(&layers[stage->end - 1], group);
    for (int i = stage->end - 1; i >= stage->first; i--) {
        float *in_gradient = gradient;
        if (i == last_out_of_place)
            in_gradient = run->work->next_gradient + group.first * tensor_values(layers[i].in);
        else if (!layers[i].type->gradient_in_place)
            in_gradient = run->work->group_gradient[gradient == run->work->group_gradient[0]];
        backward_layer(run, i, group, gradient, in_gradient);
        gradient = in_gradient;
    }
    return gradient;
}

static void run_backward(const MicroBatchRun *run, const Stage *stage) {
    MicroBatchWork *work = run->work;
    const int below = stage->first - 1, last_out_of_place = last_out_of_place_layer(run, stage);
    const LayerType *gathering = needs_gradient(run, below) ? gathering_layer(run, below) : NULL;
    LayerPass pass;
    Group group;
    for (int first = 0; first < run->n; first += group.n) {
        group = next_group(run, stage, first);
        float *gradient = backward_group(run, stage, last_out_of_place, group);
        if (gathering) {
            pass = pass_of(run, below, group);
            pass.gradient = gradient;
            gathering->gather_back(&pass);
        }
        tell_group_done(run);
    }
    if (gathering) gathering->gathered_back(&pass);
    if (last_out_of_place < 0) return;
    float *gradient = work->gradient;
    work->gradient = work->next_gradient;
    work->next_gradient = gradient;
}

/* Returns the seconds that it took. */
static double load_samples(const MicroBatchRun *run) {
    double began_s = timer_now_s();
    MicroBatchWork *work = run->work;
    const Samples *samples = &run->batch->samples;
    const ImageSpec spec = run->net->spec;
    const int64_t pixels = image_spec_pixels(spec);
    for (int s = 0; s < run->n; s++) {
        int64_t row = samples->rows[s];
        augment_image(&work->augmentation, spec,
                      (AugmentKey){work->seed, run->batch->epoch, samples->indices[s]},
                      samples->images + row * pixels, work->input + s * pixels);
        work->labels[s] = samples->labels[row];
    }
    return timer_now_s() - began_s;
}

static int count_correct(const MicroBatchRun *run) {
    const int classes = run->net->spec.classes;
    int correct = 0;
    for (int s = 0; s < run->n; s++) {
        const float *p = run->work->probabilities + (int64_t)s * classes;
        int best = 0;
        for (int c = 1; c < classes; c++)
            if (p[c] > p[best]) best = c;
        correct += best == run->work->labels[s];
    }
    return correct;
}

/* The loss, its gradient and how many were right. */
static void run_loss(const MicroBatchRun *run) {
    MicroBatchWork *work = run->work;
    const Network *net = run->net;
    const int classes = net->spec.classes;
    float *contribution = run->batch->contribution;
    const float share = 1.0f / (float)work->micro_batch;
    double loss = softmax_loss(run->n, classes, work->out[net->layer_count - 1], work->labels,
                               work->smoothing, work->probabilities, work->gradient);
    for (int i = 0; i < run->n * classes; i++)
        work->gradient[i] *= share;
    contribution[contribution_loss(net)] = (float)(loss * share);
    contribution[contribution_correct(net)] = (float)count_correct(run) * share;
}

double micro_batch_run(MicroBatchWork *work, const MicroBatch *batch) {
    const Network *net = work->net;
    const MicroBatchRun run = {work, net, batch, (int)batch->samples.n};
    const MicroBatchPlan *plan = &work->plan;
    double input_s = load_samples(&run);
    for (int k = 0; k < plan->forward_count; k++)
        run_forward(&run, &plan->forward[k]);
    run_loss(&run);
    tell_values_ready(&run, (Range){net->param_floats, contribution_floats(net)});
    for (int k = 0; k < plan->backward_count; k++) {
        run_backward(&run, &plan->backward[k]);
        tell_values_ready(&run, plan->backward[k].params);
    }
    return input_s;
}
