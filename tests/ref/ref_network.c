#include "ref/ref_network.h"

#include "core/mem.h"
#include "core/rng.h"
#include "store/dataset.h"

#include <math.h>
#include <string.h>

/* A layer under way: values [n][height][width][channels] of its input and output. */
typedef struct {
    const Network *net;
    const RefLeaf *micro_batch;
    const double *params;
    const float *statistics;   /* NULL in training */
    const double *in, *source; /* source: of add */
    double *out;
} RefPass;

static int64_t at(TensorShape s, int image, int y, int x, int c) {
    return (((int64_t)image * s.height + y) * s.width + x) * s.channels + c;
}

static double weighted(const RefPass *pass, const Layer *layer, int image, int oy, int ox, int filter) {
    const ConvShape *s = &layer->conv;
    const double *weight = pass->params + pass->net->arrays[layer->arrays[0]].first;
    TensorShape in = {s->height, s->width, s->channels};
    double sum = layer->arrays[1] < 0 ? 0 : pass->params[pass->net->arrays[layer->arrays[1]].first + filter];
    for (int ky = 0; ky < s->kernel; ky++)
        for (int kx = 0; kx < s->kernel; kx++)
            for (int c = 0; c < s->channels; c++) {
                int y = oy * s->stride + ky - s->pad, x = ox * s->stride + kx - s->pad;
                if (y < 0 || x < 0 || y >= s->height || x >= s->width) continue;
                int64_t w = ((int64_t)(ky * s->kernel + kx) * s->channels + c) * s->filters + filter;
                sum += pass->in[at(in, image, y, x, c)] * weight[w];
            }
    return sum;
}

static void pass_weights(const RefPass *pass, const Layer *layer) {
    for (int i = 0; i < pass->micro_batch->n; i++)
        for (int y = 0; y < layer->out.height; y++)
            for (int x = 0; x < layer->out.width; x++)
                for (int f = 0; f < layer->out.channels; f++)
                    pass->out[at(layer->out, i, y, x, f)] = weighted(pass, layer, i, y, x, f);
}

static void pass_norm(const RefPass *pass, const Layer *layer) {
    int channels = layer->in.channels;
    int64_t rows = (int64_t)pass->micro_batch->n * layer->in.height * layer->in.width;
    const double *scale = pass->params + pass->net->arrays[layer->arrays[0]].first;
    const double *shift = pass->params + pass->net->arrays[layer->arrays[1]].first;
    for (int c = 0; c < channels; c++) {
        double mean = 0, variance = 0;
        for (int64_t r = 0; r < rows; r++)
            mean += pass->in[r * channels + c] / (double)rows;
        for (int64_t r = 0; r < rows; r++)
            variance += pow(pass->in[r * channels + c] - mean, 2) / (double)rows;
        if (pass->statistics) {
            mean = pass->statistics[layer->statistics + c];
            variance = pass->statistics[layer->statistics + channels + c];
        }
        for (int64_t r = 0; r < rows; r++)
            pass->out[r * channels + c] =
                (pass->in[r * channels + c] - mean) / sqrt(variance + (double)NORM_EPSILON) * scale[c] +
                shift[c];
    }
}

static void pass_pool(const RefPass *pass, const Layer *layer) {
    const PoolShape *s = &layer->pool;
    for (int i = 0; i < pass->micro_batch->n; i++)
        for (int y = 0; y < s->out_height; y++)
            for (int x = 0; x < s->out_width; x++)
                for (int c = 0; c < s->channels; c++) {
                    double best = -INFINITY;
                    for (int wy = 0; wy < s->window; wy++)
                        for (int wx = 0; wx < s->window; wx++)
                            best = fmax(
                                best, pass->in[at(layer->in, i, y * s->stride + wy, x * s->stride + wx, c)]);
                    pass->out[at(layer->out, i, y, x, c)] = best;
                }
}

static void pass_dropout(const RefPass *pass, const Layer *layer, int number) {
    int64_t values = tensor_values(layer->in);
    for (int i = 0; i < pass->micro_batch->n; i++)
        for (int64_t v = 0; v < values; v++) {
            uint32_t bits[4];
            rng_u32x4((RngKey){pass->micro_batch->seed, RNG_DROPOUT}, pass->micro_batch->epoch,
                      pass->micro_batch->indices[i], (uint32_t)number << 24 | (uint32_t)(v / 4), bits);
            bool keep = pass->statistics || (double)bits[v % 4] >= floor((double)layer->rate * 0x1p32);
            double factor = pass->statistics ? 1 : 1 / (1 - (double)layer->rate);
            pass->out[i * values + v] = keep ? pass->in[i * values + v] * factor : 0;
        }
}

static void pass_average_pool(const RefPass *pass, const Layer *layer) {
    const AveragePoolShape *s = &layer->average_pool;
    for (int i = 0; i < pass->micro_batch->n; i++)
        for (int y = 0; y < s->out_height; y++)
            for (int x = 0; x < s->out_width; x++)
                for (int c = 0; c < s->channels; c++) {
                    double sum = 0;
                    for (int wy = 0; wy < s->window_height; wy++)
                        for (int wx = 0; wx < s->window_width; wx++)
                            sum += pass->in[at(layer->in, i, y * s->stride + wy, x * s->stride + wx, c)];
                    pass->out[at(layer->out, i, y, x, c)] = sum / (s->window_height * s->window_width);
                }
}

static void pass_relu(const RefPass *pass, const Layer *layer) {
    for (int64_t v = 0; v < pass->micro_batch->n * tensor_values(layer->in); v++)
        pass->out[v] = fmax(pass->in[v], 0);
}

static void pass_add(const RefPass *pass, const Layer *layer) {
    for (int64_t v = 0; v < pass->micro_batch->n * tensor_values(layer->in); v++)
        pass->out[v] = pass->in[v] + pass->source[v];
}

static void pass_layer(const RefPass *pass, int number) {
    static const struct {
        const char *word;
        void (*pass)(const RefPass *pass, const Layer *layer);
    } passes[] = {{"conv", pass_weights}, {"dense", pass_weights},        {"bn", pass_norm},
                  {"pool", pass_pool},    {"avgpool", pass_average_pool}, {"relu", pass_relu},
                  {"add", pass_add}};
    const Layer *layer = &pass->net->layers[number];
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        if (!strcmp(layer->type->word, passes[i].word)) passes[i].pass(pass, layer);
    if (!strcmp(layer->type->word, "dropout")) pass_dropout(pass, layer, number);
}

void ref_network_logits(const Network *net, const RefLeaf *micro_batch, const double *params,
                        const float *statistics, double *logits) {
    const int64_t pixels = image_spec_pixels(net->spec);
    double *values[NETWORK_MAX_LAYERS + 1]; /* the image, then each layer's output */
    values[0] = mem_new((size_t)(micro_batch->n * pixels), sizeof **values);
    for (int64_t v = 0; v < micro_batch->n * pixels; v++)
        values[0][v] = micro_batch->images[v] / 255.0;
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        values[i + 1] = mem_new((size_t)(micro_batch->n * tensor_values(layer->out)), sizeof **values);
        pass_layer(&(RefPass){net, micro_batch, params, statistics, values[i], values[layer->source + 1],
                              values[i + 1]},
                   i);
    }
    memcpy(logits, values[net->layer_count], (size_t)(micro_batch->n * net->spec.classes) * sizeof *logits);
    for (int i = 0; i <= net->layer_count; i++)
        mem_free(values[i]);
}

double ref_network_loss(const Network *net, const RefLeaf *micro_batch, const double *params) {
    const int classes = net->spec.classes;
    double loss = 0, *logits = mem_new((size_t)(micro_batch->n * classes), sizeof *logits);
    ref_network_logits(net, micro_batch, params, NULL, logits);
    for (int i = 0; i < micro_batch->n; i++) {
        double sum = 0;
        for (int c = 0; c < classes; c++)
            sum += exp(logits[i * classes + c]);
        loss += log(sum) - logits[i * classes + micro_batch->labels[i]];
    }
    mem_free(logits);
    return loss;
}
