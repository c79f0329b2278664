/* relu: max(x, 0). A layer beside it may do its work (Layer.relu_is_done, relu_gradient_is_done). */
#include "cnn/layer.h"

static void forward(const LayerPass *pass) {
    if (!pass->layer->relu_is_done)
        relu_forward(pass->n * tensor_values(pass->layer->out), pass->in, pass->out);
}

/* A dropout that follows in the same memory keeps every sign that matters: what it set to 0 has no
 * gradient. */
static void backward(const LayerPass *pass) {
    if (!pass->layer->relu_gradient_is_done)
        relu_backward(pass->n * tensor_values(pass->layer->out), pass->out, pass->gradient,
                      pass->in_gradient);
}

static void to_onnx(const LayerOnnx *to) {
    onnx_node(to->model, "Relu", (const char *const[]){to->in, NULL}, to->out);
}

const LayerType layer_relu = {
    .word = "relu",
    .form = "relu",
    .min_fields = 1,
    .max_fields = 1,
    .is_relu = true,
    .in_place = true,
    .gradient_in_place = true,
    .forward = forward,
    .backward = backward,
    .to_onnx = to_onnx,
};
