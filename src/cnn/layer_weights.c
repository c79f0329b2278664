#include "cnn/layer_weights.h"

void layer_weights_set(Layer *layer, ConvShape shape) {
    layer->conv = shape;
    layer->out = (TensorShape){shape.out_height, shape.out_width, shape.filters};
    layer->multiply_adds = (int64_t)shape.kernel * shape.kernel * shape.channels * tensor_values(layer->out);
}

LayerArray layer_weights_array(const Layer *layer, int k, H5Shape shape, bool has_bias) {
    if (k == 0) return (LayerArray){"weight", shape, true, 0};
    return (LayerArray){has_bias ? "bias" : NULL, {1, {layer->conv.filters}}, false, 0};
}

int64_t layer_weights_work_floats(const Layer *layer, int n) {
    return conv_work_size(&layer->conv, n);
}

void layer_weights_forward(const LayerPass *pass) {
    (pass->relu ? conv_forward_relu : conv_forward)(&pass->layer->conv, pass->n, pass->in, pass->packed,
                                                    pass->params[1], pass->out, pass->work);
}

void layer_weights_backward(const LayerPass *pass) {
    const ConvShape *shape = &pass->layer->conv;
    (pass->first == 0 ? conv_backward_weights : conv_add_backward_weights)(
        shape, pass->n, pass->in, pass->gradient, pass->param_gradients[0], pass->param_gradients[1],
        pass->work);
    if (pass->packed_back)
        conv_backward_data_relu(shape, pass->n, pass->gradient, pass->packed_back,
                                pass->layer->masks_input_gradient ? pass->in : NULL, pass->in_gradient,
                                pass->work);
}
