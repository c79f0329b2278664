#include "cnn/network_onnx.h"

#include <stdio.h>
#include <string.h>

/* The tensor that a layer leaves. Behind a dense layer it is images x units instead of images x channels x
 * height x width. */
typedef struct {
    char name[LAYER_ONNX_NAME];
    bool is_flat;
} Tensor;

/* The same values in the other form. */
static Tensor reshaped(const Tensor *tensor, OnnxModel *model) {
    Tensor other = {.is_flat = !tensor->is_flat};
    snprintf(other.name, sizeof other.name, "%.50s.%s", tensor->name, other.is_flat ? "flat" : "planes");
    const char *const in[] = {tensor->name, NULL};
    OnnxNode *node = onnx_node(model, other.is_flat ? "Flatten" : "Unsqueeze", in, other.name);
    if (other.is_flat)
        onnx_set_int(node, "axis", 1);
    else
        onnx_set_ints(node, "axes", (const int64_t[]){2, 3}, 2);
    return other;
}

/* A layer that does something in use, behind the tensor `in`. */
static Tensor add_layer(const Network *net, int i, LayerOnnx *to, Tensor in, const Tensor *tensors,
                        const char *prefix) {
    const Layer *layer = &net->layers[i];
    Tensor source = {0}, out;
    if (layer->type->takes_planes && in.is_flat) in = reshaped(&in, to->model);
    if (layer->source >= 0) source = tensors[layer->source];
    if (layer->source >= 0 && source.is_flat != in.is_flat) source = reshaped(&source, to->model);
    snprintf(out.name, sizeof out.name, "%s%d.%.20s", prefix, i + 1, layer->type->word);
    out.is_flat = in.is_flat || layer->type->flattens;
    to->layer = layer;
    to->in = in.name;
    to->source = layer->source >= 0 ? source.name : NULL;
    to->out = out.name;
    layer->type->to_onnx(to);
    return out;
}

void network_to_onnx(const Network *net, const float *params, const float *statistics, const char *prefix,
                     const char *in, const char *out, OnnxModel *model) {
    Tensor tensors[NETWORK_MAX_LAYERS], last = {.is_flat = false};
    snprintf(last.name, sizeof last.name, "%s", in);
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        LayerOnnx to = {.model = model, .statistics = statistics + layer->statistics};
        network_layer_params(net, layer, params, to.params);
        if (!layer->type->only_in_training) last = add_layer(net, i, &to, last, tensors, prefix);
        tensors[i] = last;
    }
    if (!last.is_flat) last = reshaped(&last, model);
    onnx_set_int(onnx_node(model, "Softmax", (const char *const[]){last.name, NULL}, out), "axis", 1);
}
