#include "kernels/layers.h"

#include <string.h>

/* out [channels] = the mean of one window that begins at in. */
static void average_window(const AveragePoolShape *s, const float *in, float *restrict out) {
    const float share = 1.0f / (float)(s->window_height * s->window_width);
    memset(out, 0, (size_t)s->channels * sizeof *out);
    for (int y = 0; y < s->window_height; y++)
        for (int x = 0; x < s->window_width; x++) {
            const float *pixel = in + ((int64_t)y * s->width + x) * s->channels;
#pragma omp simd
            for (int c = 0; c < s->channels; c++)
                out[c] += pixel[c];
        }
#pragma omp simd
    for (int c = 0; c < s->channels; c++)
        out[c] *= share;
}

/* Adds a window's gradient to all of its inputs. */
static void spread_window(const AveragePoolShape *s, const float *out_grad, float *restrict in_grad) {
    const float share = 1.0f / (float)(s->window_height * s->window_width);
    for (int y = 0; y < s->window_height; y++)
        for (int x = 0; x < s->window_width; x++) {
            float *pixel = in_grad + ((int64_t)y * s->width + x) * s->channels;
#pragma omp simd
            for (int c = 0; c < s->channels; c++)
                pixel[c] += out_grad[c] * share;
        }
}

/* Where the window of output (y, x) begins in an image. */
static int64_t window_place(const AveragePoolShape *s, int y, int x) {
    return ((int64_t)y * s->width + x) * s->stride * s->channels;
}

void average_pool_forward(const AveragePoolShape *s, int n, const float *in, float *out) {
    for (int i = 0; i < n; i++, in += (int64_t)s->height * s->width * s->channels)
        for (int y = 0; y < s->out_height; y++)
            for (int x = 0; x < s->out_width; x++, out += s->channels)
                average_window(s, in + window_place(s, y, x), out);
}

void average_pool_backward(const AveragePoolShape *s, int n, const float *out_grad, float *in_grad) {
    const int64_t image = (int64_t)s->height * s->width * s->channels;
    memset(in_grad, 0, (size_t)(n * image) * sizeof *in_grad);
    for (int i = 0; i < n; i++, in_grad += image)
        for (int y = 0; y < s->out_height; y++)
            for (int x = 0; x < s->out_width; x++, out_grad += s->channels)
                spread_window(s, out_grad, in_grad + window_place(s, y, x));
}
