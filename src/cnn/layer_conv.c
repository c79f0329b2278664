/* conv:FILTERS:KERNEL[:sSTRIDE][:pPAD]: convolution. */
#include "cnn/layer_weights.h"

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

const LayerType layer_conv = {
    .word = "conv",
    .form = "conv:FILTERS:KERNEL[:sSTRIDE][:pPAD]",
    .min_fields = 3,
    .max_fields = 5,
    .relu = RELU_BEHIND | RELU_MASK,
    .multiplies = true,
    .ends = true,
    .parse = parse,
    .array = array,
    .work_floats = layer_weights_work_floats,
    .images_wanted = images_wanted,
    .forward = layer_weights_forward,
    .backward = layer_weights_backward,
    .weight_parts = layer_weights_parts,
    .sum_weights = layer_weights_sum,
};
