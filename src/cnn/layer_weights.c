#include "cnn/layer_weights.h"

void layer_weights_set(Layer *layer, ConvShape shape) {
    layer->conv = shape;
    layer->out = (TensorShape){shape.out_height, shape.out_width, shape.filters};
    layer->multiply_adds = (int64_t)shape.kernel * shape.kernel * shape.channels * tensor_values(layer->out);
}

LayerArray layer_weights_array(const Layer *layer, int k, H5Shape shape, bool has_bias) {
    if (k == LAYER_WEIGHT) return (LayerArray){"weight", shape, true, 0};
    return (LayerArray){has_bias ? "bias" : NULL, {1, {layer->conv.filters}}, false, 0};
}

int64_t layer_weights_work_floats(const Layer *layer, int n) {
    return conv_work_size(&layer->conv, n);
}

void layer_weights_forward(const LayerPass *pass) {
    (pass->relu ? conv_forward_relu : conv_forward)(&pass->layer->conv, pass->n, pass->in, pass->packed,
                                                    pass->params[LAYER_BIAS], pass->out, pass->work);
}

void layer_weights_backward(const LayerPass *pass) {
    if (pass->packed_back)
        conv_backward_data_relu(&pass->layer->conv, pass->n, pass->gradient, pass->packed_back,
                                pass->layer->masks_input_gradient ? pass->in : NULL, pass->in_gradient,
                                pass->work);
}

int layer_weights_parts(const Layer *layer) {
    return conv_weight_parts(&layer->conv);
}

void layer_weights_sum(const LayerPass *pass) {
    const ConvWeightSum sum = {
        .n = pass->n,
        .in = pass->in,
        .out_grad = pass->gradient,
        .add = pass->first > 0,
        .weight_grad = pass->param_gradients[LAYER_WEIGHT],
        .bias_grad = pass->param_gradients[LAYER_BIAS],
        .work = pass->work,
        .first_part = pass->first_part,
        .end_part = pass->end_part,
        .parts = pass->parts,
        .turns = pass->turns,
        .turn = pass->turn,
    };
    conv_sum_weights(&pass->layer->conv, &sum);
}
