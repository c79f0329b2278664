#include "cnn/network.h"

#include "core/rng.h"
#include "store/dataset.h"

#include <math.h>
#include <stdio.h>

bool layer_in_place(const Layer *layer) {
    return layer->kind == LAYER_RELU || layer->kind == LAYER_DROPOUT;
}

bool layer_has_weights(const Layer *layer) {
    return layer->kind == LAYER_CONV || layer->kind == LAYER_DENSE;
}

int network_fused_relu(const Network *net, int relu) {
    if (relu < 0 || relu >= net->layer_count || net->layers[relu].kind != LAYER_RELU) return -1;
    const Layer *layer = &net->layers[relu];
    const bool norm_before = relu > 0 && layer[-1].kind == LAYER_NORM;
    if (!norm_before && relu + 1 < net->layer_count && layer[1].kind == LAYER_POOL) return relu + 1;
    const bool can_fuse = relu > 0 && !layer_in_place(&layer[-1]);
    return can_fuse ? relu - 1 : -1;
}

bool network_has_relu(const Network *net, int i) {
    return network_fused_relu(net, i + 1) == i || network_fused_relu(net, i - 1) == i;
}

int64_t network_max_values(const Network *net) {
    int64_t largest = IMAGE_PIXELS;
    for (int i = 0; i < net->layer_count; i++) {
        int64_t values = image_values(net->layers[i].out);
        if (values > largest) largest = values;
    }
    return largest;
}

int64_t network_conv_work(const Network *net, int n) {
    int64_t largest = 0;
    for (int i = 0; i < net->layer_count; i++) {
        if (!layer_has_weights(&net->layers[i])) continue;
        int64_t size = conv_work_size(&net->layers[i].conv, n);
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

void network_init_params(const Network *net, uint32_t seed, float *params) {
    RngKey key = {seed, RNG_INIT};
    for (int64_t i = 0; i < net->param_floats; i++)
        params[i] = 0;
    for (int a = 0; a < net->array_count; a++) {
        const ParamArray *array = &net->arrays[a];
        if (array->decays)
            init_weights(key, (uint64_t)a, (float)sqrt(2.0 / (double)array->fan_in), params + array->first,
                         array->count);
    }
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        if (layer->kind != LAYER_NORM) continue;
        const ParamArray *scale = &net->arrays[layer->scale];
        for (int64_t c = 0; c < scale->count; c++)
            params[scale->first + c] = 1;
    }
}

void network_init_statistics(const Network *net, float *statistics) {
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        if (layer->kind != LAYER_NORM) continue;
        float *mean = statistics + layer->statistics, *variance = mean + layer->in.channels;
        for (int c = 0; c < layer->in.channels; c++) {
            mean[c] = 0;
            variance[c] = 1;
        }
    }
}

void network_log(const Network *net, Log *log) {
    log_line(log, "%-24s %14s %12s %14s", "layer", "output", "parameters", "multiply-adds");
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        char shape[48];
        snprintf(shape, sizeof shape, "%dx%dx%d", layer->out.height, layer->out.width, layer->out.channels);
        log_line(log, "%-24s %14s %12lld %14lld", layer->text, shape, (long long)layer->parameters,
                 (long long)layer->multiply_adds);
    }
    log_line(log, "%-24s %14s %12lld %14lld", "together", "", (long long)net->parameters,
             (long long)net->multiply_adds);
}
