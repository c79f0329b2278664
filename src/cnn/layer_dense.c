/* dense:UNITS or dense:classes: fully connected, whatever the shape of its input. */
#include "cnn/layer_weights.h"
#include "cnn/network.h"

#include "core/mem.h"

#include <stdio.h>
#include <string.h>

static StatusCode parse(Layer *layer, const LayerText *text) {
    int units = text->net->spec.classes;
    if (strcmp(text->field[1], "classes") &&
        layer_parse_number(text, text->field[1], "the number of units", 1, LAYER_MAX_CHANNELS, &units))
        return text->status->code;
    layer_weights_set(layer, conv_shape(1, 1, (int)tensor_values(layer->in), units, 1, 1, 0));
    return STATUS_OK;
}

static LayerArray array(const Layer *layer, int k, bool has_bias) {
    const ConvShape *s = &layer->conv;
    return layer_weights_array(layer, k, (H5Shape){2, {s->channels, s->filters}}, has_bias);
}

/* From [values][units], the values of a pixel side by side, to [units][values], a channel after the other. */
static float *onnx_weights(const Layer *layer, const float *weights) {
    const int64_t pixels = (int64_t)layer->in.height * layer->in.width, channels = layer->in.channels,
                  units = layer->conv.filters, values = pixels * channels;
    float *out = mem_new((size_t)(values * units), sizeof *out);
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t u = 0; u < units; u++)
                out[u * values + c * pixels + p] = weights[(p * channels + c) * units + u];
    return out;
}

static void to_onnx(const LayerOnnx *to) {
    const int64_t units = to->layer->conv.filters, values = tensor_values(to->layer->in);
    char flat[LAYER_ONNX_NAME], weight[LAYER_ONNX_NAME], bias[LAYER_ONNX_NAME];
    float *weights = onnx_weights(to->layer, to->params[LAYER_WEIGHT]);
    snprintf(flat, sizeof flat, "%s.flat", to->out);
    snprintf(weight, sizeof weight, "%s.weight", to->out);
    snprintf(bias, sizeof bias, "%s.bias", to->out);
    onnx_constant(to->model, weight, (OnnxShape){2, {units, values}}, weights);
    if (to->params[LAYER_BIAS])
        onnx_constant(to->model, bias, (OnnxShape){1, {units}}, to->params[LAYER_BIAS]);
    OnnxNode *flatten = onnx_node(to->model, "Flatten", (const char *const[]){to->in, NULL}, flat);
    onnx_set_int(flatten, "axis", 1);
    OnnxNode *gemm =
        onnx_node(to->model, "Gemm",
                  (const char *const[]){flat, weight, to->params[LAYER_BIAS] ? bias : NULL, NULL}, to->out);
    onnx_set_int(gemm, "transB", 1);
    mem_free(weights);
}

const LayerType layer_dense = {
    .word = "dense",
    .form = "dense:UNITS or dense:classes",
    .min_fields = 2,
    .max_fields = 2,
    .relu = RELU_BEHIND | RELU_MASK,
    .whole_micro_batch = true,
    .multiplies = true,
    .ends = true,
    .flattens = true,
    .parse = parse,
    .array = array,
    .work_floats = layer_weights_work_floats,
    .forward = layer_weights_forward,
    .backward = layer_weights_backward,
    .weight_parts = layer_weights_parts,
    .sum_weights = layer_weights_sum,
    .to_onnx = to_onnx,
};
