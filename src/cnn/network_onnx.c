#include "cnn/network_onnx.h"

#include <stdio.h>
#include <string.h>

/* The tensor that a layer leaves. Behind a dense layer it is images x units instead of images x channels x
 * height x width. */
typedef struct {
    char name[LAYER_ONNX_NAME];
    bool is_flat;
} Tensor;

/* The same values in the other form, for `user`, of which names are made: several layers may need them.
 * Reshape is what all readers take. */
static Tensor reshaped(const Tensor *tensor, const char *user, OnnxModel *model) {
    Tensor other = {.is_flat = !tensor->is_flat}, shape;
    snprintf(other.name, sizeof other.name, "%.40s.%s", user, other.is_flat ? "flat" : "planes");
    snprintf(shape.name, sizeof shape.name, "%.40s.shape", user);
    if (other.is_flat) {
        const char *const in[] = {tensor->name, NULL};
        onnx_set_int(onnx_node(model, "Flatten", in, other.name), "axis", 1);
    } else {
        const char *const in[] = {tensor->name, shape.name, NULL};
        onnx_constant_ints(model, shape.name, (const int64_t[]){0, -1, 1, 1}, 4);
        onnx_node(model, "Reshape", in, other.name);
    }
    return other;
}

/* A layer that does something in use, behind the tensor `in`. */
static Tensor add_layer(const Network *net, int i, LayerOnnx *to, Tensor in, const Tensor *tensors,
                        const char *prefix) {
    const Layer *layer = &net->layers[i];
    Tensor source = {0}, out;
    char user[LAYER_ONNX_NAME];
    snprintf(user, sizeof user, "%.20s%d.in", prefix, i + 1);
    if (layer->type->takes_planes && in.is_flat) in = reshaped(&in, user, to->model);
    snprintf(user, sizeof user, "%.20s%d.source", prefix, i + 1);
    if (layer->source >= 0) source = tensors[layer->source];
    if (layer->source >= 0 && source.is_flat != in.is_flat) source = reshaped(&source, user, to->model);
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
    if (!last.is_flat) last = reshaped(&last, out, model);
    onnx_set_int(onnx_node(model, "Softmax", (const char *const[]){last.name, NULL}, out), "axis", 1);
}
