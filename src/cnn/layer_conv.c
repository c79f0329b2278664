/* conv:FILTERS:KERNEL[:sSTRIDE][:pPAD]: convolution. */
#include "cnn/layer_weights.h"

#include "core/mem.h"

#include <stdio.h>

enum { MAX_KERNEL = 64 };

static StatusCode parse(Layer *layer, const LayerText *text) {
    int filters = 0, kernel = 0, stride = 1, pad = 0;
    if (layer_parse_number(text, text->field[1], "the number of filters", 1, LAYER_MAX_CHANNELS, &filters) ||
        layer_parse_number(text, text->field[2], "the kernel", 1, MAX_KERNEL, &kernel) ||
        layer_parse_options(text, 3, kernel, &stride, &pad))
        return text->status->code;
    int height = layer->in.height, width = layer->in.width;
    if (kernel > height + 2 * pad || kernel > width + 2 * pad)
        return status_set(
            text->status, STATUS_USAGE,
            "cnn.layers: layer '%s': its kernel is larger than its input of %dx%d; at most %d is allowed "
            "there with padding %d.",
            text->text, height, width, (height < width ? height : width) + 2 * pad, pad);
    layer_weights_set(layer, conv_shape(height, width, layer->in.channels, filters, kernel, stride, pad));
    return STATUS_OK;
}

static LayerArray array(const Layer *layer, int k, bool has_bias) {
    const ConvShape *s = &layer->conv;
    return layer_weights_array(layer, k, (H5Shape){4, {s->kernel, s->kernel, s->channels, s->filters}},
                               has_bias);
}

static int images_wanted(const Layer *layer) {
    return conv_images_wanted(&layer->conv);
}

/* From [kernel][kernel][channels][filters] to [filters][channels][kernel][kernel]. */
static float *onnx_weights(const ConvShape *s, const float *weights) {
    const int64_t taps = (int64_t)s->kernel * s->kernel;
    float *out = mem_new((size_t)(taps * s->channels * s->filters), sizeof *out);
    for (int64_t t = 0; t < taps; t++)
        for (int64_t c = 0; c < s->channels; c++)
            for (int64_t f = 0; f < s->filters; f++)
                out[(f * s->channels + c) * taps + t] = weights[(t * s->channels + c) * s->filters + f];
    return out;
}

static void to_onnx(const LayerOnnx *to) {
    const ConvShape *s = &to->layer->conv;
    char weight[LAYER_ONNX_NAME], bias[LAYER_ONNX_NAME];
    float *weights = onnx_weights(s, to->params[LAYER_WEIGHT]);
    snprintf(weight, sizeof weight, "%s.weight", to->out);
    snprintf(bias, sizeof bias, "%s.bias", to->out);
    onnx_constant(to->model, weight, (OnnxShape){4, {s->filters, s->channels, s->kernel, s->kernel}},
                  weights);
    if (to->params[LAYER_BIAS])
        onnx_constant(to->model, bias, (OnnxShape){1, {s->filters}}, to->params[LAYER_BIAS]);
    OnnxNode *node =
        onnx_node(to->model, "Conv",
                  (const char *const[]){to->in, weight, to->params[LAYER_BIAS] ? bias : NULL, NULL}, to->out);
    onnx_set_ints(node, "kernel_shape", (const int64_t[]){s->kernel, s->kernel}, 2);
    onnx_set_ints(node, "strides", (const int64_t[]){s->stride, s->stride}, 2);
    onnx_set_ints(node, "pads", (const int64_t[]){s->pad, s->pad, s->pad, s->pad}, 4);
    mem_free(weights);
}

const LayerType layer_conv = {
    .word = "conv",
    .form = "conv:FILTERS:KERNEL[:sSTRIDE][:pPAD]",
    .min_fields = 3,
    .max_fields = 5,
    .relu = RELU_BEHIND | RELU_MASK,
    .multiplies = true,
    .ends = true,
    .takes_planes = true,
    .parse = parse,
    .array = array,
    .work_floats = layer_weights_work_floats,
    .images_wanted = images_wanted,
    .forward = layer_weights_forward,
    .backward = layer_weights_backward,
    .weight_parts = layer_weights_parts,
    .sum_weights = layer_weights_sum,
    .to_onnx = to_onnx,
};
