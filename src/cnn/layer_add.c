/* add:NAME: adds the output of the earlier layer that is labelled @NAME, of the same shape (residual
 * connections: He et al., "Deep residual learning for image recognition", CVPR 2016). */
#include "cnn/layer.h"
#include "cnn/network.h"

#include <stdio.h>
#include <string.h>

static StatusCode refuse_name(const LayerText *text) {
    char names[256] = "";
    size_t used = 0;
    for (int i = 0; i < text->net->layer_count && used + LAYER_TEXT + 4 < sizeof names; i++)
        if (*text->net->layers[i].label)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                     used ? ", " : "there is: ", text->net->layers[i].label);
    return status_set(text->status, STATUS_USAGE,
                      "cnn.layers: layer '%s': no layer before it is labelled @%s (%s); write for example: "
                      "relu@%s ... %s.",
                      text->text, text->field[1], used ? names : "no layer has a label", text->field[1],
                      text->text);
}

static StatusCode parse(Layer *layer, const LayerText *text) {
    layer->source = network_find_label(text->net, text->field[1]);
    if (layer->source < 0) return refuse_name(text);
    const Layer *source = &text->net->layers[layer->source];
    const TensorShape a = layer->in, b = source->out;
    if (a.height == b.height && a.width == b.width && a.channels == b.channels) return STATUS_OK;
    return status_set(text->status, STATUS_USAGE,
                      "cnn.layers: layer '%s': its input is %dx%dx%d, but '%s@%s' gives %dx%dx%d; both must "
                      "have the same shape (convolutions keep height and width with stride 1 and padding "
                      "kernel / 2).",
                      text->text, a.height, a.width, a.channels, source->text, source->label, b.height,
                      b.width, b.channels);
}

static void forward(const LayerPass *pass) {
    add_forward(pass->n * tensor_values(pass->layer->out), pass->in, pass->source, pass->relu, pass->out);
}

/* The input has the same gradient as the output. The gradients of several uses of a source are added from the
 * last use to the first. */
static void backward(const LayerPass *pass) {
    const int64_t values = pass->n * tensor_values(pass->layer->out);
    if (!pass->source_gradient) return;
    if (pass->layer->is_first_use)
        memcpy(pass->source_gradient, pass->gradient, (size_t)values * sizeof *pass->gradient);
    else
        add_forward(values, pass->source_gradient, pass->gradient, false, pass->source_gradient);
}

static void to_onnx(const LayerOnnx *to) {
    onnx_node(to->model, "Add", (const char *const[]){to->in, to->source, NULL}, to->out);
}

const LayerType layer_add = {
    .word = "add",
    .form = "add:NAME, where an earlier layer ends in @NAME",
    .min_fields = 2,
    .max_fields = 2,
    .relu = RELU_BEHIND,
    .gradient_in_place = true,
    .ends = true,
    .parse = parse,
    .forward = forward,
    .backward = backward,
    .to_onnx = to_onnx,
};
