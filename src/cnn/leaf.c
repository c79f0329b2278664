#include "leaf.h"

#include "pardigits/mem.h"
#include "pardigits/rng.h"

#include <math.h>

int64_t leaf_loss_term(const Network *net) {
    return net->param_floats + net->statistic_floats;
}

int64_t leaf_correct_term(const Network *net) {
    return leaf_loss_term(net) + 1;
}

int64_t leaf_term_count(const Network *net) {
    return leaf_correct_term(net) + 1;
}

PackedWeights packed_weights_new(const Network *net) {
    PackedWeights packed = {0};
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        if (!layer_has_weights(layer)) continue;
        size_t size = (size_t)conv_packed_size(&layer->conv);
        packed.forward[i] = mem_new(size, sizeof(float));
        if (i > net->first_trained) packed.backward[i] = mem_new(size, sizeof(float));
    }
    return packed;
}

void packed_weights_free(PackedWeights *packed) {
    for (int i = 0; i < NETWORK_MAX_LAYERS; i++) {
        mem_free(packed->forward[i]);
        mem_free(packed->backward[i]);
    }
    *packed = (PackedWeights){0};
}

void packed_weights_fill(const Network *net, const float *params, PackedWeights *packed) {
#pragma omp for schedule(dynamic, 1)
    for (int task = 0; task < 2 * net->layer_count; task++) {
        int i = task / 2;
        const Layer *layer = &net->layers[i];
        if (!layer_has_weights(layer)) continue;
        const float *weights = params + net->arrays[layer->weight].first;
        if (task % 2 == 0)
            conv_pack_forward(&layer->conv, weights, packed->forward[i]);
        else if (packed->backward[i])
            conv_pack_backward(&layer->conv, weights, packed->backward[i]);
    }
}

static void new_layer_buffers(LeafWork *work, int i) {
    const Layer *layer = &work->net->layers[i];
    size_t values = (size_t)image_values(layer->out) * (size_t)work->leaf;
    if (layer_in_place(layer))
        work->out[i] = i ? work->out[i - 1] : work->input;
    else
        work->out[i] = mem_new(values, sizeof(float));
    if (layer->kind == LAYER_POOL || layer->kind == LAYER_DROPOUT) work->marks[i] = mem_new(values, 1);
    if (layer->kind == LAYER_NORM) {
        work->mean[i] = mem_new((size_t)layer->in.channels, sizeof(float));
        work->inverse_deviation[i] = mem_new((size_t)layer->in.channels, sizeof(float));
    }
}

LeafWork *leaf_work_new(const Network *net, int leaf, uint32_t seed, const Augmentation *augmentation,
                        float smoothing) {
    LeafWork *work = mem_new(1, sizeof *work);
    size_t samples = (size_t)leaf, largest = (size_t)network_max_values(net);
    work->net = net;
    work->leaf = leaf;
    work->seed = seed;
    work->augmentation = *augmentation;
    work->smoothing = smoothing;
    work->input = mem_new(samples * IMAGE_PIXELS, sizeof(float));
    for (int i = 0; i < net->layer_count; i++)
        new_layer_buffers(work, i);
    work->gradient = mem_new(samples * largest, sizeof(float));
    work->next_gradient = mem_new(samples * largest, sizeof(float));
    work->conv_work = mem_new((size_t)network_conv_work(net, leaf), sizeof(float));
    work->probabilities = mem_new(samples * CLASSES, sizeof(float));
    work->labels = mem_new(samples, 1);
    work->terms = mem_new((size_t)leaf_term_count(net), sizeof(float));
    return work;
}

void leaf_work_free(LeafWork **work_pointer) {
    LeafWork *work = *work_pointer;
    if (!work) return;
    for (int i = 0; i < work->net->layer_count; i++) {
        if (!layer_in_place(&work->net->layers[i])) mem_free(work->out[i]);
        mem_free(work->marks[i]);
        mem_free(work->mean[i]);
        mem_free(work->inverse_deviation[i]);
    }
    mem_free(work->input);
    mem_free(work->gradient);
    mem_free(work->next_gradient);
    mem_free(work->conv_work);
    mem_free(work->probabilities);
    mem_free(work->labels);
    mem_free(work->terms);
    mem_free(work);
    *work_pointer = NULL;
}

/* One leaf under way. */
typedef struct {
    LeafWork *work;
    const float *params;
    const PackedWeights *packed;
    uint32_t epoch;
    const Samples *samples;
    int n;
} LeafRun;

static const float *array_of(const LeafRun *run, int array) {
    return array < 0 ? NULL : run->params + run->work->net->arrays[array].first;
}

static float *terms_of(const LeafRun *run, int array) {
    return array < 0 ? NULL : run->work->terms + run->work->net->arrays[array].first;
}

static const float *input_of(const LeafRun *run, int i) {
    return i ? run->work->out[i - 1] : run->work->input;
}

static int64_t values_of(const LeafRun *run, const Layer *layer) {
    return run->n * image_values(layer->out);
}

static void forward_weights(const LeafRun *run, int i) {
    const Layer *layer = &run->work->net->layers[i];
    conv_forward(&layer->conv, run->n, input_of(run, i), run->packed->forward[i], array_of(run, layer->bias),
                 run->work->out[i], run->work->conv_work);
}

/* Also puts the leaf's mean and unbiased variance among the terms, for the running statistics. */
static void forward_norm(const LeafRun *run, int i) {
    const Layer *layer = &run->work->net->layers[i];
    int channels = layer->in.channels;
    int64_t rows = (int64_t)run->n * layer->in.height * layer->in.width;
    float *mean = run->work->terms + run->work->net->param_floats + layer->statistics,
          *variance = mean + channels;
    norm_forward(rows, channels, input_of(run, i), array_of(run, layer->scale), array_of(run, layer->shift),
                 NORM_EPSILON, run->work->out[i], run->work->mean[i], variance,
                 run->work->inverse_deviation[i]);
    float weight = (float)(LEAF_STATISTIC_UNIT * run->n / run->work->leaf);
    float unbiased = rows > 1 ? (float)((double)rows / (double)(rows - 1)) : 1;
    for (int c = 0; c < channels; c++) {
        mean[c] = run->work->mean[i][c] * weight;
        variance[c] = variance[c] * unbiased * weight;
    }
}

static void forward_relu(const LeafRun *run, int i) {
    const Layer *layer = &run->work->net->layers[i];
    relu_forward(values_of(run, layer), run->work->out[i], run->work->out[i]);
}

static void forward_pool(const LeafRun *run, int i) {
    const Layer *layer = &run->work->net->layers[i];
    pool_forward(&layer->pool, run->n, input_of(run, i), run->work->out[i], run->work->marks[i]);
}

/* A value is kept where a uniform 32-bit number is at least rate * 2^32; its counter is (epoch, sample, layer
 * and place), so that it doesn't matter who draws it and when. */
static void draw_kept(const LeafRun *run, int i, uint32_t sample, int64_t values, uint8_t *keep) {
    RngKey key = {run->work->seed, RNG_DROPOUT};
    uint32_t threshold = (uint32_t)((double)run->work->net->layers[i].rate * 0x1p32),
             draw = (uint32_t)i << 24;
    for (int64_t v = 0; v < values; v += 4) {
        uint32_t bits[4];
        rng_u32x4(key, run->epoch, sample, draw++, bits);
        for (int64_t k = v; k < v + 4 && k < values; k++)
            keep[k] = bits[k - v] >= threshold;
    }
}

static void forward_dropout(const LeafRun *run, int i) {
    const Layer *layer = &run->work->net->layers[i];
    int64_t values = image_values(layer->out);
    for (int s = 0; s < run->n; s++)
        draw_kept(run, i, run->samples->indices[s], values, run->work->marks[i] + s * values);
    dropout_apply(values_of(run, layer), run->work->out[i], run->work->marks[i], layer->rate,
                  run->work->out[i]);
}

/* The gradient of the layer's input becomes the current one. */
static void swap_gradients(LeafWork *work) {
    float *gradient = work->gradient;
    work->gradient = work->next_gradient;
    work->next_gradient = gradient;
}

static void backward_weights(const LeafRun *run, int i) {
    LeafWork *work = run->work;
    const Layer *layer = &work->net->layers[i];
    conv_backward_weights(&layer->conv, run->n, input_of(run, i), work->gradient,
                          terms_of(run, layer->weight), terms_of(run, layer->bias), work->conv_work);
    if (!run->packed->backward[i]) return; /* the first layer that is trained */
    conv_backward_data(&layer->conv, run->n, work->gradient, run->packed->backward[i], work->next_gradient,
                       work->conv_work);
    swap_gradients(work);
}

static void backward_norm(const LeafRun *run, int i) {
    LeafWork *work = run->work;
    const Layer *layer = &work->net->layers[i];
    norm_backward((int64_t)run->n * layer->in.height * layer->in.width, layer->in.channels, input_of(run, i),
                  work->gradient, array_of(run, layer->scale), work->mean[i], work->inverse_deviation[i],
                  work->next_gradient, terms_of(run, layer->scale), terms_of(run, layer->shift));
    swap_gradients(work);
}

/* A dropout that follows in the same memory leaves every sign that matters: what it set to 0 has no gradient.
 */
static void backward_relu(const LeafRun *run, int i) {
    const Layer *layer = &run->work->net->layers[i];
    relu_backward(values_of(run, layer), run->work->out[i], run->work->gradient, run->work->gradient);
}

static void backward_pool(const LeafRun *run, int i) {
    const Layer *layer = &run->work->net->layers[i];
    pool_backward(&layer->pool, run->n, run->work->marks[i], run->work->gradient, run->work->next_gradient);
    swap_gradients(run->work);
}

static void backward_dropout(const LeafRun *run, int i) {
    const Layer *layer = &run->work->net->layers[i];
    dropout_apply(values_of(run, layer), run->work->gradient, run->work->marks[i], layer->rate,
                  run->work->gradient);
}

/* What each kind of layer does with a leaf. Backward turns work->gradient from that of its output to that of
 * its input. */
static const struct {
    void (*forward)(const LeafRun *run, int layer), (*backward)(const LeafRun *run, int layer);
} operations[] = {
    [LAYER_CONV] = {forward_weights, backward_weights}, [LAYER_DENSE] = {forward_weights, backward_weights},
    [LAYER_NORM] = {forward_norm, backward_norm},       [LAYER_RELU] = {forward_relu, backward_relu},
    [LAYER_POOL] = {forward_pool, backward_pool},       [LAYER_DROPOUT] = {forward_dropout, backward_dropout},
};

static void load_samples(const LeafRun *run) {
    LeafWork *work = run->work;
    const Samples *samples = run->samples;
    for (int s = 0; s < run->n; s++) {
        int64_t row = samples->rows[s];
        augment_image(&work->augmentation, work->seed, run->epoch, samples->indices[s],
                      samples->images + row * IMAGE_PIXELS, work->input + (int64_t)s * IMAGE_PIXELS);
        work->labels[s] = samples->labels[row];
    }
}

static int count_correct(const LeafRun *run) {
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

void leaf_run(LeafWork *work, const float *params, const PackedWeights *packed, uint32_t epoch,
              const Samples *samples) {
    const LeafRun run = {work, params, packed, epoch, samples, (int)samples->n};
    const Network *net = work->net;
    load_samples(&run);
    for (int i = 0; i < net->layer_count; i++)
        operations[net->layers[i].kind].forward(&run, i);

    float share = 1.0f / (float)work->leaf;
    double loss = softmax_loss(run.n, CLASSES, work->out[net->layer_count - 1], work->labels, work->smoothing,
                               work->probabilities, work->gradient);
    for (int i = 0; i < run.n * CLASSES; i++)
        work->gradient[i] *= share;
    work->terms[leaf_loss_term(net)] = (float)(loss * share);
    work->terms[leaf_correct_term(net)] = (float)count_correct(&run) * share;
    for (int i = net->layer_count - 1; i >= net->first_trained; i--)
        operations[net->layers[i].kind].backward(&run, i);
}
