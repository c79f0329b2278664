#include "cnn/micro_batch.h"

#include "core/rng.h"
#include "core/timer.h"

/* One micro-batch under way. */
typedef struct {
    MicroBatchWork *work;
    const Network *net;
    const float *params;
    const PackedWeights *packed;
    uint32_t epoch;
    const Samples *samples;
    const MicroBatchEvents *events;
    int n;
} MicroBatchRun;

/* Some images of it. */
typedef struct {
    int first, n;
} Group;

static const float *array_of(const MicroBatchRun *run, int array) {
    return array < 0 ? NULL : run->params + run->net->arrays[array].first;
}

static float *terms_of(const MicroBatchRun *run, int array) {
    return array < 0 ? NULL : run->work->terms + run->net->arrays[array].first;
}

/* Rows of batch norm in n images. */
static int64_t rows_of(const Layer *layer, int n) {
    return (int64_t)n * layer->in.height * layer->in.width;
}

static const float *input_of(const MicroBatchRun *run, int i, Group group) {
    const float *input = i ? run->work->out[i - 1] : run->work->input;
    return input + group.first * image_values(run->net->layers[i].in);
}

static float *output_of(const MicroBatchRun *run, int i, Group group) {
    return run->work->out[i] + group.first * image_values(run->net->layers[i].out);
}

static uint8_t *mask_of(const MicroBatchRun *run, int i, Group group) {
    return run->work->masks[i] + group.first * image_values(run->net->layers[i].out);
}

static int64_t output_values(const MicroBatchRun *run, int i, Group group) {
    return group.n * image_values(run->net->layers[i].out);
}

static void forward_weights(const MicroBatchRun *run, int i, Group group) {
    const Layer *layer = &run->net->layers[i];
    (network_has_relu(run->net, i) ? conv_forward_relu : conv_forward)(
        &layer->conv, group.n, input_of(run, i, group), run->packed->forward[i], array_of(run, layer->bias),
        output_of(run, i, group), run->work->conv_work);
}

static void forward_norm(const MicroBatchRun *run, int i, Group group) {
    const Layer *layer = &run->net->layers[i];
    norm_forward(rows_of(layer, group.n), layer->in.channels, input_of(run, i, group),
                 array_of(run, layer->scale), array_of(run, layer->shift), run->work->mean[i],
                 run->work->inv_std[i], network_has_relu(run->net, i), output_of(run, i, group));
}

static void forward_relu(const MicroBatchRun *run, int i, Group group) {
    float *out = output_of(run, i, group);
    if (network_fused_relu(run->net, i) < 0) relu_forward(output_values(run, i, group), out, out);
}

static void forward_pool(const MicroBatchRun *run, int i, Group group) {
    (network_has_relu(run->net, i) ? pool_forward_relu : pool_forward)(
        &run->net->layers[i].pool, group.n, input_of(run, i, group), output_of(run, i, group),
        mask_of(run, i, group));
}

/* A value is kept where a uniform 32-bit number is at least rate * 2^32; its counter is (epoch, sample, layer
 * and place), so that it doesn't matter who draws it and when. */
static void draw_kept(const MicroBatchRun *run, int i, uint32_t sample, int64_t values, uint8_t *keep) {
    const uint32_t threshold = (uint32_t)((double)run->net->layers[i].rate * 0x1p32);
    uint32_t(*random)[4] = run->work->random;
    rng_fill((RngKey){run->work->seed, RNG_DROPOUT}, run->epoch, sample, (uint32_t)i << 24, (values + 3) / 4,
             random);
    const uint32_t *bits = random[0];
    for (int64_t v = 0; v < values; v++)
        keep[v] = bits[v] >= threshold;
}

static void forward_dropout(const MicroBatchRun *run, int i, Group group) {
    const Layer *layer = &run->net->layers[i];
    int64_t values = image_values(layer->out);
    float *out = output_of(run, i, group);
    uint8_t *keep = mask_of(run, i, group);
    for (int s = 0; s < group.n; s++)
        draw_kept(run, i, run->samples->indices[group.first + s], values, keep + s * values);
    dropout_apply(group.n * values, out, keep, layer->rate, out);
}

/* Whether conv or dense i takes its gradient through the relu below it, which another conv or dense did on
 * the way forward; other layers that do a relu's work do it both ways. */
static bool passes_relu_back(const MicroBatchRun *run, int i) {
    const int fused = network_fused_relu(run->net, i - 1);
    return fused >= 0 && layer_has_weights(&run->net->layers[fused]) &&
           layer_has_weights(&run->net->layers[i]);
}

/* The gradient of the weights is added up group by group. */
static void backward_weights(const MicroBatchRun *run, int i, Group group, float *gradient,
                             float *in_gradient) {
    const Layer *layer = &run->net->layers[i];
    float *work = run->work->conv_work;
    (group.first == 0 ? conv_backward_weights : conv_add_backward_weights)(
        &layer->conv, group.n, input_of(run, i, group), gradient, terms_of(run, layer->weight),
        terms_of(run, layer->bias), work);
    if (run->packed->backward[i])
        conv_backward_data_relu(&layer->conv, group.n, gradient, run->packed->backward[i],
                                passes_relu_back(run, i) ? input_of(run, i, group) : NULL, in_gradient, work);
}

static void backward_norm(const MicroBatchRun *run, int i, Group group, float *gradient, float *in_gradient) {
    (void)in_gradient;
    const Layer *layer = &run->net->layers[i];
    norm_backward(rows_of(layer, run->n), rows_of(layer, group.n), layer->in.channels,
                  input_of(run, i, group), array_of(run, layer->scale), run->work->mean[i],
                  run->work->inv_std[i], terms_of(run, layer->scale), terms_of(run, layer->shift), gradient);
}

/* A dropout that follows in the same memory keeps every sign that matters: what it set to 0 has no
 * gradient.
 */
static void backward_relu(const MicroBatchRun *run, int i, Group group, float *gradient, float *in_gradient) {
    (void)in_gradient;
    const int fused = network_fused_relu(run->net, i);
    const bool done_below = fused >= 0 && !layer_has_weights(&run->net->layers[fused]);
    if (!done_below && !passes_relu_back(run, i + 1))
        relu_backward(output_values(run, i, group), output_of(run, i, group), gradient, gradient);
}

static void backward_pool(const MicroBatchRun *run, int i, Group group, float *gradient, float *in_gradient) {
    const float *relu_out = network_has_relu(run->net, i) ? output_of(run, i, group) : NULL;
    pool_backward_relu(&run->net->layers[i].pool, group.n, mask_of(run, i, group), relu_out, gradient,
                       in_gradient);
}

static void backward_dropout(const MicroBatchRun *run, int i, Group group, float *gradient,
                             float *in_gradient) {
    (void)in_gradient;
    dropout_apply(output_values(run, i, group), gradient, mask_of(run, i, group), run->net->layers[i].rate,
                  gradient);
}

/* What each kind of layer does with a group. Backward takes the gradient of its output and writes that of its
 * input to in_gradient, or, where `in_place`, over it. */
static const struct {
    void (*forward)(const MicroBatchRun *run, int layer, Group group);
    void (*backward)(const MicroBatchRun *run, int layer, Group group, float *gradient, float *in_gradient);
    bool in_place;
} operations[] = {
    [LAYER_CONV] = {forward_weights, backward_weights, false},
    [LAYER_DENSE] = {forward_weights, backward_weights, false},
    [LAYER_NORM] = {forward_norm, backward_norm, true},
    [LAYER_RELU] = {forward_relu, backward_relu, true},
    [LAYER_POOL] = {forward_pool, backward_pool, false},
    [LAYER_DROPOUT] = {forward_dropout, backward_dropout, true},
};

static Group next_group(const MicroBatchRun *run, const Stage *stage, int first) {
    int left = run->n - first;
    return (Group){first, left < stage->group ? left : stage->group};
}

/* Puts the micro-batch's mean and unbiased variance among the terms, for the running statistics. */
static void finish_moments(const MicroBatchRun *run, int norm) {
    const Layer *layer = &run->net->layers[norm];
    int channels = layer->in.channels;
    int64_t rows = rows_of(layer, run->n);
    float *mean = run->work->terms + run->net->param_floats + layer->statistics, *variance = mean + channels;
    norm_finish_moments(rows, channels, NORM_EPSILON, variance, run->work->inv_std[norm]);
    float weight = (float)(MICRO_BATCH_STATISTIC_UNIT * run->n / run->work->micro_batch);
    float unbiased = rows > 1 ? (float)((double)rows / (double)(rows - 1)) : 1;
    for (int c = 0; c < channels; c++) {
        mean[c] = run->work->mean[norm][c] * weight;
        variance[c] = variance[c] * unbiased * weight;
    }
}

static void add_moments(const MicroBatchRun *run, int norm, Group group) {
    const Layer *layer = &run->net->layers[norm];
    int channels = layer->in.channels;
    float *squares = run->work->terms + run->net->param_floats + layer->statistics + channels;
    norm_add_moments(rows_of(layer, group.first), rows_of(layer, group.n), channels,
                     input_of(run, norm, group), run->work->mean[norm], squares);
}

static void run_forward(const MicroBatchRun *run, const Stage *stage) {
    const bool norm_above =
        stage->end < run->net->layer_count && run->net->layers[stage->end].kind == LAYER_NORM;
    Group group;
    for (int first = 0; first < run->n; first += group.n) {
        group = next_group(run, stage, first);
        for (int i = stage->first; i < stage->end; i++)
            operations[run->net->layers[i].kind].forward(run, i, group);
        if (norm_above) add_moments(run, stage->end, group);
        if (run->events) run->events->group_done(run->events->context);
    }
    if (norm_above) finish_moments(run, stage->end);
}

/* The last layer that a stage passes on the way back and that writes its gradient elsewhere; -1: none. */
static int last_out_of_place_layer(const MicroBatchRun *run, const Stage *stage) {
    for (int i = stage->first; i < stage->end; i++)
        if (!operations[run->net->layers[i].kind].in_place) return i;
    return -1;
}

/* Returns the gradient of the stage's input. */
static float *backward_group(const MicroBatchRun *run, const Stage *stage, int last_out_of_place,
                             Group group) {
    const Layer *layers = run->net->layers;
    float *gradient = run->work->gradient + group.first * image_values(layers[stage->end - 1].out);
    for (int i = stage->end - 1; i >= stage->first; i--) {
        float *in_gradient = gradient;
        if (i == last_out_of_place)
            in_gradient = run->work->next_gradient + group.first * image_values(layers[i].in);
        else if (!operations[layers[i].kind].in_place)
            in_gradient = run->work->group_gradient[gradient == run->work->group_gradient[0]];
        operations[layers[i].kind].backward(run, i, group, gradient, in_gradient);
        gradient = in_gradient;
    }
    return gradient;
}

static void add_norm_gradients(const MicroBatchRun *run, int norm, Group group, float *gradient) {
    const Layer *layer = &run->net->layers[norm];
    norm_add_gradients(
        rows_of(layer, group.first), rows_of(layer, group.n), layer->in.channels, input_of(run, norm, group),
        network_has_relu(run->net, norm) ? output_of(run, norm, group) : NULL, run->work->mean[norm],
        gradient, terms_of(run, layer->scale), terms_of(run, layer->shift));
}

static void run_backward(const MicroBatchRun *run, const Stage *stage) {
    MicroBatchWork *work = run->work;
    const int below = stage->first - 1, last_out_of_place = last_out_of_place_layer(run, stage);
    const bool norm_below = below >= run->net->first_trained && run->net->layers[below].kind == LAYER_NORM;
    Group group;
    for (int first = 0; first < run->n; first += group.n) {
        group = next_group(run, stage, first);
        float *gradient = backward_group(run, stage, last_out_of_place, group);
        if (norm_below) add_norm_gradients(run, below, group, gradient);
        if (run->events) run->events->group_done(run->events->context);
    }
    if (norm_below) {
        const Layer *norm = &run->net->layers[below];
        norm_finish_gradients(norm->in.channels, work->inv_std[below], terms_of(run, norm->scale));
    }
    if (last_out_of_place < 0) return;
    float *gradient = work->gradient;
    work->gradient = work->next_gradient;
    work->next_gradient = gradient;
}

/* Returns the seconds that it took. */
static double load_samples(const MicroBatchRun *run) {
    double began_s = timer_now_s();
    MicroBatchWork *work = run->work;
    const Samples *samples = run->samples;
    for (int s = 0; s < run->n; s++) {
        int64_t row = samples->rows[s];
        augment_image(&work->augmentation, work->seed, run->epoch, samples->indices[s],
                      samples->images + row * IMAGE_PIXELS, work->input + (int64_t)s * IMAGE_PIXELS);
        work->labels[s] = samples->labels[row];
    }
    return timer_now_s() - began_s;
}

static int count_correct(const MicroBatchRun *run) {
    int correct = 0;
    for (int s = 0; s < run->n; s++) {
        const float *p = run->work->probabilities + s * CLASSES;
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            if (p[c] > p[best]) best = c;
        correct += best == run->work->labels[s];
    }
    return correct;
}

/* The loss, its gradient and how many were right. */
static void run_loss(const MicroBatchRun *run) {
    MicroBatchWork *work = run->work;
    const Network *net = run->net;
    const float share = 1.0f / (float)work->micro_batch;
    double loss = softmax_loss(run->n, CLASSES, work->out[net->layer_count - 1], work->labels,
                               work->smoothing, work->probabilities, work->gradient);
    for (int i = 0; i < run->n * CLASSES; i++)
        work->gradient[i] *= share;
    work->terms[micro_batch_loss_term(net)] = (float)(loss * share);
    work->terms[micro_batch_correct_term(net)] = (float)count_correct(run) * share;
}

double micro_batch_run(MicroBatchWork *work, const float *params, const PackedWeights *packed, uint32_t epoch,
                       const Samples *samples, const MicroBatchEvents *events) {
    const Network *net = work->net;
    const MicroBatchRun run = {work, net, params, packed, epoch, samples, events, (int)samples->n};
    const MicroBatchPlan *plan = &work->plan;
    double input_s = load_samples(&run);
    for (int k = 0; k < plan->forward_count; k++)
        run_forward(&run, &plan->forward[k]);
    run_loss(&run);
    if (events) events->terms_ready(events->context, (Range){net->param_floats, micro_batch_term_count(net)});
    for (int k = 0; k < plan->backward_count; k++) {
        run_backward(&run, &plan->backward[k]);
        if (events) events->terms_ready(events->context, plan->backward[k].params);
    }
    return input_s;
}
