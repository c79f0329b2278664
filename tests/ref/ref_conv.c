#include "ref/ref_conv.h"

#include <string.h>

/* One multiplication of a convolution: out[out_at] takes in[in_at] * weights[weight_at]. */
typedef struct {
    int64_t out_at, in_at, weight_at;
} Term;

typedef void (*TermFunction)(const Term *term, void *context);

static void for_each_term_of_pixel(const ConvShape *s, int64_t i, int oy, int ox, TermFunction function,
                                   void *context) {
    for (int ky = 0; ky < s->kernel; ky++) {
        for (int kx = 0; kx < s->kernel; kx++) {
            const int y = oy * s->stride + ky - s->pad, x = ox * s->stride + kx - s->pad;
            if (y < 0 || y >= s->height || x < 0 || x >= s->width) continue;
            for (int c = 0; c < s->channels; c++) {
                for (int f = 0; f < s->filters; f++) {
                    const Term term = {
                        ((i * s->out_height + oy) * s->out_width + ox) * s->filters + f,
                        ((i * s->height + y) * s->width + x) * s->channels + c,
                        (((int64_t)ky * s->kernel + kx) * s->channels + c) * s->filters + f,
                    };
                    function(&term, context);
                }
            }
        }
    }
}

static void for_each_term(const ConvShape *s, int n, TermFunction function, void *context) {
    for (int64_t i = 0; i < n; i++)
        for (int oy = 0; oy < s->out_height; oy++)
            for (int ox = 0; ox < s->out_width; ox++)
                for_each_term_of_pixel(s, i, oy, ox, function, context);
}

typedef struct {
    const double *in, *weights, *out_grad;
    double *result;
} Arrays;

static void add_forward(const Term *term, void *context) {
    const Arrays *a = context;
    a->result[term->out_at] += a->in[term->in_at] * a->weights[term->weight_at];
}

static void add_backward_data(const Term *term, void *context) {
    const Arrays *a = context;
    a->result[term->in_at] += a->out_grad[term->out_at] * a->weights[term->weight_at];
}

static void add_backward_weights(const Term *term, void *context) {
    const Arrays *a = context;
    a->result[term->weight_at] += a->out_grad[term->out_at] * a->in[term->in_at];
}

static int64_t out_pixels(const ConvShape *s, int n) {
    return (int64_t)n * s->out_height * s->out_width;
}

void ref_conv_forward(const ConvShape *s, int n, const double *in, const double *weights, const double *bias,
                      double *out) {
    for (int64_t p = 0; p < out_pixels(s, n); p++)
        for (int f = 0; f < s->filters; f++)
            out[p * s->filters + f] = bias ? bias[f] : 0;
    for_each_term(s, n, add_forward, &(Arrays){.in = in, .weights = weights, .result = out});
}

void ref_conv_backward_data(const ConvShape *s, int n, const double *out_grad, const double *weights,
                            double *in_grad) {
    memset(in_grad, 0, sizeof *in_grad * (size_t)n * (size_t)(s->height * s->width * s->channels));
    for_each_term(s, n, add_backward_data,
                  &(Arrays){.weights = weights, .out_grad = out_grad, .result = in_grad});
}

void ref_conv_backward_weights(const ConvShape *s, int n, const double *in, const double *out_grad,
                               double *weight_grad, double *bias_grad) {
    memset(weight_grad, 0, sizeof *weight_grad * (size_t)(s->kernel * s->kernel * s->channels * s->filters));
    for_each_term(s, n, add_backward_weights,
                  &(Arrays){.in = in, .out_grad = out_grad, .result = weight_grad});
    memset(bias_grad, 0, sizeof *bias_grad * (size_t)s->filters);
    for (int64_t p = 0; p < out_pixels(s, n); p++)
        for (int f = 0; f < s->filters; f++)
            bias_grad[f] += out_grad[p * s->filters + f];
}
