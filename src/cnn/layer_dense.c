/* dense:UNITS or dense:classes: fully connected, whatever the shape of its input. */
#include "cnn/layer_weights.h"
#include "cnn/network.h"

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

const LayerType layer_dense = {
    .word = "dense",
    .form = "dense:UNITS or dense:classes",
    .min_fields = 2,
    .max_fields = 2,
    .relu = RELU_BEHIND | RELU_MASK,
    .whole_micro_batch = true,
    .multiplies = true,
    .ends = true,
    .parse = parse,
    .array = array,
    .work_floats = layer_weights_work_floats,
    .forward = layer_weights_forward,
    .backward = layer_weights_backward,
    .weight_parts = layer_weights_parts,
    .sum_weights = layer_weights_sum,
};
