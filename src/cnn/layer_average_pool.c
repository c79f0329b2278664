/* avgpool:WINDOW[:sSTRIDE]: the mean of each window. avgpool:all: the mean of each channel (global average
 * pooling: Lin, Chen & Yan, "Network in network", ICLR 2014). */
#include "cnn/layer.h"

#include <string.h>

static StatusCode parse(Layer *layer, const LayerText *text) {
    const TensorShape in = layer->in;
    const int least = in.height < in.width ? in.height : in.width;
    int window_height = in.height, window_width = in.width, stride = 1;
    if (strcmp(text->field[1], "all")) {
        if (layer_parse_number(text, text->field[1], "the window (or the word all)", 1, least,
                               &window_height))
            return text->status->code;
        stride = window_width = window_height;
        if (layer_parse_options(text, 2, window_height, &stride, NULL)) return text->status->code;
    } else if (text->field_count > 2) {
        return layer_refuse(text, "after the word all nothing is allowed");
    }
    layer->out = (TensorShape){(in.height - window_height) / stride + 1,
                               (in.width - window_width) / stride + 1, in.channels};
    layer->average_pool = (AveragePoolShape){in.height,    in.width, in.channels,       window_height,
                                             window_width, stride,   layer->out.height, layer->out.width};
    return STATUS_OK;
}

static void forward(const LayerPass *pass) {
    average_pool_forward(&pass->layer->average_pool, pass->n, pass->in, pass->out);
}

static void backward(const LayerPass *pass) {
    average_pool_backward(&pass->layer->average_pool, pass->n, pass->gradient, pass->in_gradient);
}

static void to_onnx(const LayerOnnx *to) {
    const AveragePoolShape *s = &to->layer->average_pool;
    OnnxNode *node = onnx_node(to->model, "AveragePool", (const char *const[]){to->in, NULL}, to->out);
    onnx_set_ints(node, "kernel_shape", (const int64_t[]){s->window_height, s->window_width}, 2);
    onnx_set_ints(node, "strides", (const int64_t[]){s->stride, s->stride}, 2);
}

const LayerType layer_average_pool = {
    .word = "avgpool",
    .form = "avgpool:WINDOW[:sSTRIDE] or avgpool:all",
    .min_fields = 2,
    .max_fields = 3,
    .ends = true,
    .takes_planes = true,
    .parse = parse,
    .forward = forward,
    .backward = backward,
    .to_onnx = to_onnx,
};
