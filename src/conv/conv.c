#include "conv/conv.h"

#include <string.h>

#include "conv/conv_axis.h"
#include "conv/conv_backend.h"
#include "core/integers.h"
#include "kernels/vec.h"

int conv_images_wanted(const ConvShape *s) {
    return s->backend[CONV_WEIGHTS]->images_wanted(s);
}

int64_t conv_work_size(const ConvShape *s, int n) {
    int64_t size = 0;
    for (int pass = 0; pass < CONV_PASSES; pass++)
        size = larger(size, s->backend[pass]->work_size(s, n));
    return size;
}

int64_t conv_packed_size(const ConvShape *s) {
    return larger(s->backend[CONV_FORWARD]->packed_size(s), s->backend[CONV_DATA]->packed_size(s));
}

void conv_pack_forward(const ConvShape *s, const float *weights, float *packed) {
    s->backend[CONV_FORWARD]->pack_forward(s, weights, packed);
}

void conv_pack_backward(const ConvShape *s, const float *weights, float *packed) {
    s->backend[CONV_DATA]->pack_backward(s, weights, packed);
}

void conv_forward(const ConvShape *s, int n, const float *in, const float *packed_forward, const float *bias,
                  float *out, float *work) {
    s->backend[CONV_FORWARD]->forward(s, n, in, packed_forward, bias, false, out, work);
}

void conv_forward_relu(const ConvShape *s, int n, const float *in, const float *packed_forward,
                       const float *bias, float *out, float *work) {
    s->backend[CONV_FORWARD]->forward(s, n, in, packed_forward, bias, true, out, work);
}

void conv_backward_data_relu(const ConvShape *s, int n, const float *out_grad, const float *packed_backward,
                             const float *relu_out, float *in_grad, float *work) {
    s->backend[CONV_DATA]->backward_data(s, n, out_grad, packed_backward, relu_out, in_grad, work);
}

void conv_backward_data(const ConvShape *s, int n, const float *out_grad, const float *packed_backward,
                        float *in_grad, float *work) {
    conv_backward_data_relu(s, n, out_grad, packed_backward, NULL, in_grad, work);
}

void conv_backward_weights(const ConvShape *s, int n, const float *in, const float *out_grad,
                           float *weight_grad, float *bias_grad, float *work) {
    conv_sum_weights(
        s, &(ConvWeightSum){n, in, out_grad, false, weight_grad, bias_grad, work, 0, 1, 1, NULL, 0});
}

int conv_weight_parts(const ConvShape *s) {
    const ConvBackend *backend = s->backend[CONV_WEIGHTS];
    const int parts = backend->weight_parts ? backend->weight_parts(s) : 1;
    return parts < CONV_MOST_PARTS ? parts : CONV_MOST_PARTS;
}

void conv_sum_weights(const ConvShape *s, const ConvWeightSum *sum) {
    s->backend[CONV_WEIGHTS]->sum_weights(s, sum);
}

/* bias_grad [filters] += sum of out_grad [n][pixels][filters], image by image. */
static void add_pixels(int n, int64_t pixels, int filters, const float *out_grad, float *bias_grad) {
    for (int i = 0; i < n; i++, out_grad += pixels * filters)
        for (int f = 0; f < filters; f += LANES) {
            const int lanes = lanes_from(filters, f);
            const vec sum = vec_sum_rows(pixels, filters, out_grad + f, lanes);
            vec_store_lanes(bias_grad + f, vec_load_lanes(bias_grad + f, lanes) + sum, lanes);
        }
}

void conv_sum_bias(const ConvShape *s, const ConvWeightSum *sum) {
    const int64_t pixels = (int64_t)s->out_height * s->out_width;
    if (!sum->bias_grad) return;
    if (!sum->add) memset(sum->bias_grad, 0, (size_t)s->filters * sizeof *sum->bias_grad);
    add_pixels(is_dense(s) ? 1 : sum->n, is_dense(s) ? sum->n : pixels, s->filters, sum->out_grad,
               sum->bias_grad);
}
