/* pool:WINDOW[:sSTRIDE]: the largest value of each window. */
#include "cnn/layer.h"

enum { MAX_WINDOW = 15 };

static StatusCode parse(Layer *layer, const LayerText *text) {
    const TensorShape in = layer->in;
    int window = 0;
    if (layer_parse_number(text, text->field[1], "the window", 1, MAX_WINDOW, &window))
        return text->status->code;
    int stride = window;
    if (layer_parse_options(text, 2, window, &stride, NULL)) return text->status->code;
    if (window > in.height || window > in.width)
        return status_set(text->status, STATUS_USAGE,
                          "cnn.layers: layer '%s': its window is larger than its input of %dx%d.", text->text,
                          in.height, in.width);
    layer->pool = pool_shape(in.height, in.width, in.channels, window, stride);
    layer->out = (TensorShape){layer->pool.out_height, layer->pool.out_width, in.channels};
    return STATUS_OK;
}

/* The mask is each window's argmax. */
static void forward(const LayerPass *pass) {
    (pass->relu ? pool_forward_relu : pool_forward)(&pass->layer->pool, pass->n, pass->in, pass->out,
                                                    pass->mask);
}

static void backward(const LayerPass *pass) {
    pool_backward_relu(&pass->layer->pool, pass->n, pass->mask, pass->layer->does_relu ? pass->out : NULL,
                       pass->gradient, pass->in_gradient);
}

static void to_onnx(const LayerOnnx *to) {
    const PoolShape *s = &to->layer->pool;
    OnnxNode *node = onnx_node(to->model, "MaxPool", (const char *const[]){to->in, NULL}, to->out);
    onnx_set_ints(node, "kernel_shape", (const int64_t[]){s->window, s->window}, 2);
    onnx_set_ints(node, "strides", (const int64_t[]){s->stride, s->stride}, 2);
}

const LayerType layer_pool = {
    .word = "pool",
    .form = "pool:WINDOW[:sSTRIDE]",
    .min_fields = 2,
    .max_fields = 3,
    .relu = RELU_BEHIND | RELU_BEHIND_BACK | RELU_AHEAD,
    .has_mask = true,
    .takes_planes = true,
    .parse = parse,
    .forward = forward,
    .backward = backward,
    .to_onnx = to_onnx,
};
