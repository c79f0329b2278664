#include "ref/ref_layers.h"

#include <math.h>
#include <string.h>

static void moments(int64_t rows, int channels, const double *in, int c, double *mean, double *variance) {
    *mean = *variance = 0;
    for (int64_t r = 0; r < rows; r++)
        *mean += in[r * channels + c] / (double)rows;
    for (int64_t r = 0; r < rows; r++) {
        const double d = in[r * channels + c] - *mean;
        *variance += d * d / (double)rows;
    }
}

void ref_norm_forward(int64_t rows, int channels, const double *in, const double *scale, const double *shift,
                      double epsilon, double *out, double *mean, double *variance) {
    for (int c = 0; c < channels; c++) {
        moments(rows, channels, in, c, &mean[c], &variance[c]);
        for (int64_t at = c; at < rows * channels; at += channels)
            out[at] = (in[at] - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + shift[c];
    }
}

void ref_norm_backward(int64_t rows, int channels, const double *in, const double *out_grad,
                       const double *scale, double epsilon, double *in_grad, double *scale_grad,
                       double *shift_grad) {
    for (int c = 0; c < channels; c++) {
        double mean, variance;
        moments(rows, channels, in, c, &mean, &variance);
        const double deviation = sqrt(variance + epsilon);
        scale_grad[c] = shift_grad[c] = 0;
        for (int64_t at = c; at < rows * channels; at += channels) {
            scale_grad[c] += out_grad[at] * (in[at] - mean) / deviation;
            shift_grad[c] += out_grad[at];
        }
        for (int64_t at = c; at < rows * channels; at += channels) {
            const double x = (in[at] - mean) / deviation;
            const double means = (shift_grad[c] + x * scale_grad[c]) / (double)rows;
            in_grad[at] = scale[c] / deviation * (out_grad[at] - means);
        }
    }
}

/* Place of the first largest value of a window. */
static int64_t largest_place(const PoolShape *s, int64_t i, int oy, int ox, int c, const double *in) {
    int64_t best = -1;
    for (int y = oy * s->stride; y < oy * s->stride + s->window; y++) {
        for (int x = ox * s->stride; x < ox * s->stride + s->window; x++) {
            const int64_t at = ((i * s->height + y) * s->width + x) * s->channels + c;
            if (best < 0 || in[at] > in[best]) best = at;
        }
    }
    return best;
}

/* Exactly one of out and in_grad is not NULL. */
static void pool(const PoolShape *s, int n, const double *in, double *out, const double *out_grad,
                 double *in_grad) {
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int y = 0; y < s->out_height; y++) {
            for (int x = 0; x < s->out_width; x++) {
                for (int c = 0; c < s->channels; c++, at++) {
                    const int64_t from = largest_place(s, i, y, x, c, in);
                    if (out)
                        out[at] = in[from];
                    else
                        in_grad[from] += out_grad[at];
                }
            }
        }
    }
}

void ref_pool_forward(const PoolShape *s, int n, const double *in, double *out) {
    pool(s, n, in, out, NULL, NULL);
}

void ref_pool_backward(const PoolShape *s, int n, const double *in, const double *out_grad, double *in_grad) {
    memset(in_grad, 0, sizeof *in_grad * (size_t)n * (size_t)(s->height * s->width * s->channels));
    pool(s, n, in, NULL, out_grad, in_grad);
}

/* Exactly one of out and in_grad is not NULL. */
static void average_pool(const AveragePoolShape *s, int n, const double *in, double *out,
                         const double *out_grad, double *in_grad) {
    const int area = s->window_height * s->window_width;
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++)
        for (int y = 0; y < s->out_height; y++)
            for (int x = 0; x < s->out_width; x++)
                for (int c = 0; c < s->channels; c++, at++) {
                    double sum = 0;
                    for (int w = 0; w < area; w++) {
                        const int row = y * s->stride + w / s->window_width;
                        const int column = x * s->stride + w % s->window_width;
                        const int64_t from = ((i * s->height + row) * s->width + column) * s->channels + c;
                        if (out)
                            sum += in[from];
                        else
                            in_grad[from] += out_grad[at] / area;
                    }
                    if (out) out[at] = sum / area;
                }
}

void ref_average_pool_forward(const AveragePoolShape *s, int n, const double *in, double *out) {
    average_pool(s, n, in, out, NULL, NULL);
}

void ref_average_pool_backward(const AveragePoolShape *s, int n, const double *out_grad, double *in_grad) {
    memset(in_grad, 0, sizeof *in_grad * (size_t)n * (size_t)(s->height * s->width * s->channels));
    average_pool(s, n, NULL, NULL, out_grad, in_grad);
}

double ref_softmax_loss(int n, int classes, const double *logits, const uint8_t *labels, double smoothing,
                        double *probabilities, double *logit_grad) {
    double loss = 0;
    for (int i = 0; i < n; i++) {
        const double *row = logits + (int64_t)i * classes;
        double sum = 0;
        for (int c = 0; c < classes; c++)
            sum += exp(row[c]);
        for (int c = 0; c < classes; c++) {
            probabilities[i * classes + c] = exp(row[c]) / sum;
            double target = (1 - smoothing) * (c == labels[i]) + smoothing / classes;
            logit_grad[i * classes + c] = probabilities[i * classes + c] - target;
            loss -= target * log(probabilities[i * classes + c]);
        }
    }
    return loss;
}
