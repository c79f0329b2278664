#include "cnn/network.h"

#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int network_find_label(const Network *net, const char *label) {
    for (int i = 0; i < net->layer_count; i++)
        if (*label && !strcmp(net->layers[i].label, label)) return i;
    return -1;
}

bool network_folds(const Network *net, int i) {
    const Layer *layer = &net->layers[i];
    return i > 0 && layer->type->scale_in_use && layer[-1].type->multiplies && !layer[-1].is_source;
}

int64_t network_max_values(const Network *net) {
    int64_t largest = image_spec_pixels(net->spec);
    for (int i = 0; i < net->layer_count; i++) {
        int64_t values = tensor_values(net->layers[i].out);
        if (values > largest) largest = values;
    }
    return largest;
}

int64_t network_work_floats(const Network *net, int n) {
    int64_t largest = 0;
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        int64_t size = layer->type->work_floats ? layer->type->work_floats(layer, n) : 0;
        if (size > largest) largest = size;
    }
    return largest;
}

static void init_weights(RngKey key, uint64_t array, float deviation, float *weights, int64_t count) {
    for (int64_t i = 0; i < count; i += 4) {
        float normal[4];
        rng_normal4(key, 0, array, (uint32_t)(i / 4), normal);
        for (int64_t j = i; j < i + 4 && j < count; j++)
            weights[j] = deviation * normal[j - i];
    }
}

static void fill(float value, int64_t count, float *values) {
    for (int64_t i = 0; i < count; i++)
        values[i] = value;
}

void network_init_params(const Network *net, uint32_t seed, float *params) {
    RngKey key = {seed, RNG_INIT};
    fill(0, net->param_floats, params);
    for (int a = 0; a < net->array_count; a++) {
        const ParamArray *array = &net->arrays[a];
        if (array->decays)
            init_weights(key, (uint64_t)a, (float)sqrt(2.0 / (double)array->fan_in), params + array->first,
                         array->count);
        else
            fill(array->initial, array->count, params + array->first);
    }
}

void network_layer_params(const Network *net, const Layer *layer, const float *params,
                          const float *arrays[LAYER_ARRAYS]) {
    for (int k = 0; k < LAYER_ARRAYS; k++)
        arrays[k] = layer->arrays[k] < 0 ? NULL : params + net->arrays[layer->arrays[k]].first;
}

void network_init_statistics(const Network *net, float *statistics) {
    for (int s = 0; s < net->statistic_count; s++)
        fill(net->statistics[s].initial, net->statistics[s].count, statistics + net->statistics[s].first);
}

/* A layer's text with its label, and its output's shape. */
typedef struct {
    char text[2 * LAYER_TEXT], shape[48];
} LayerWords;

static LayerWords layer_words(const Layer *layer) {
    LayerWords words;
    snprintf(words.text, sizeof words.text, "%s%s%s", layer->text, *layer->label ? "@" : "", layer->label);
    snprintf(words.shape, sizeof words.shape, "%dx%dx%d", layer->out.height, layer->out.width,
             layer->out.channels);
    return words;
}

void network_log(const Network *net, Log *log) {
    log_line(log, "%-24s %14s %12s %14s", "layer", "output", "parameters", "multiply-adds");
    for (int i = 0; i < net->layer_count; i++) {
        const LayerWords words = layer_words(&net->layers[i]);
        log_line(log, "%-24s %14s %12lld %14lld", words.text, words.shape,
                 (long long)net->layers[i].parameters, (long long)net->layers[i].multiply_adds);
    }
    log_line(log, "%-24s %14s %12lld %14lld", "together", "", (long long)net->parameters,
             (long long)net->multiply_adds);
}

void network_list(const Network *net, Output *output) {
    output_begin(output, "layers", "layers", OUTPUT_TABLE);
    for (int i = 0; i < net->layer_count; i++) {
        const LayerWords words = layer_words(&net->layers[i]);
        output_record(output);
        output_text(output, "layer", "layer", words.text);
        output_text(output, "output", "output", words.shape);
        output_integer(output, "parameters", "parameters", net->layers[i].parameters);
        output_integer(output, "multiply_adds", "multiply-adds", net->layers[i].multiply_adds);
    }
    output_end(output);
}
