#include "kernels/layers.h"

#include <stdbool.h>

#include "kernels/vec.h"

typedef uint8_t byte_vec __attribute__((vector_size(LANES)));

PoolShape pool_shape(int height, int width, int channels, int window, int stride) {
    PoolShape shape = {height, width, channels, window, stride, 0, 0};
    if (window <= height && window <= width) {
        shape.out_height = (height - window) / stride + 1;
        shape.out_width = (width - window) / stride + 1;
    }
    return shape;
}

static vec select_vec(int_vec condition, vec yes, vec no) {
    return (vec)((condition & (int_vec)yes) | (~condition & (int_vec)no));
}

/* One window, `lanes` channels. NaN counts as the largest value, so that it isn't lost. */
static inline __attribute__((always_inline)) void pool_window(const PoolShape *s, bool relu, const float *in,
                                                              float *out, uint8_t *argmax, int lanes) {
    vec best = vec_load_lanes(in, lanes);
    int_vec best_place = {0};
    for (int row = 0, place = 0; row < s->window; row++) {
        for (int column = 0; column < s->window; column++, place++) {
            const vec x = vec_load_lanes(in + ((int64_t)row * s->width + column) * s->channels, lanes);
            const int_vec better = (x > best) | ((x != x) & (best == best));
            best = select_vec(better, x, best);
            best_place = (better & place) | (~better & best_place);
        }
    }
    vec_store_lanes(out, relu ? vec_relu(best) : best, lanes);
    const byte_vec places = __builtin_convertvector(best_place, byte_vec);
    if (lanes == LANES)
        memcpy(argmax, &places, sizeof places);
    else
        memcpy(argmax, &places, (size_t)lanes);
}

static void forward(const PoolShape *s, int n, bool relu, const float *in, float *out, uint8_t *argmax) {
    const int64_t row = (int64_t)s->width * s->channels;
    for (int i = 0; i < n; i++, in += s->height * row) {
        for (int y = 0; y < s->out_height; y++) {
            for (int x = 0; x < s->out_width; x++, out += s->channels, argmax += s->channels) {
                const float *window = in + y * s->stride * row + (int64_t)x * s->stride * s->channels;
                int c = 0;
                for (; c + LANES <= s->channels; c += LANES)
                    pool_window(s, relu, window + c, out + c, argmax + c, LANES);
                if (c < s->channels) pool_window(s, relu, window + c, out + c, argmax + c, s->channels - c);
            }
        }
    }
}

void pool_forward(const PoolShape *s, int n, const float *in, float *out, uint8_t *argmax) {
    forward(s, n, false, in, out, argmax);
}

void pool_forward_relu(const PoolShape *s, int n, const float *in, float *out, uint8_t *argmax) {
    forward(s, n, true, in, out, argmax);
}

/* One window, `lanes` channels: its gradient goes to the place of the argmax. Where windows overlap it is
 * added.
 */
static inline __attribute__((always_inline)) void spread_window(const PoolShape *s, const uint8_t *argmax,
                                                                const float *relu_out, const float *out_grad,
                                                                bool overlap, float *in_grad, int lanes) {
    byte_vec places = {0};
    if (lanes == LANES)
        memcpy(&places, argmax, sizeof places);
    else
        memcpy(&places, argmax, (size_t)lanes);
    const int_vec argmaxes = __builtin_convertvector(places, int_vec);
    vec gradient = vec_load_lanes(out_grad, lanes);
    if (relu_out) gradient = vec_relu_mask(vec_load_lanes(relu_out, lanes), gradient);
    for (int row = 0, place = 0; row < s->window; row++) {
        for (int column = 0; column < s->window; column++, place++) {
            float *to = in_grad + ((int64_t)row * s->width + column) * s->channels;
            vec share = (vec)((argmaxes == place) & (int_vec)gradient);
            if (overlap) share += vec_load_lanes(to, lanes);
            vec_store_lanes(to, share, lanes);
        }
    }
}

/* Sets to 0 what no window covers, or all of it where windows overlap or leave gaps. */
static void clear_uncovered(const PoolShape *s, bool all, float *in_grad) {
    const int64_t row = (int64_t)s->width * s->channels;
    const int covered_rows = all ? 0 : s->out_height * s->window;
    const int64_t covered = all ? 0 : (int64_t)s->out_width * s->window * s->channels;
    for (int y = 0; y < covered_rows && covered < row; y++)
        memset(in_grad + y * row + covered, 0, (size_t)(row - covered) * sizeof *in_grad);
    memset(in_grad + covered_rows * row, 0, (size_t)((s->height - covered_rows) * row) * sizeof *in_grad);
}

void pool_backward_relu(const PoolShape *s, int n, const uint8_t *argmax, const float *relu_out,
                        const float *out_grad, float *in_grad) {
    const int64_t row = (int64_t)s->width * s->channels;
    const bool add = s->stride != s->window;
    int64_t at = 0;
    for (int i = 0; i < n; i++, in_grad += s->height * row) {
        clear_uncovered(s, add, in_grad);
        for (int y = 0; y < s->out_height; y++) {
            for (int x = 0; x < s->out_width; x++, at += s->channels) {
                float *window = in_grad + y * s->stride * row + (int64_t)x * s->stride * s->channels;
                const float *relu_mask = relu_out ? relu_out + at : NULL;
                int c = 0;
                for (; c + LANES <= s->channels; c += LANES)
                    spread_window(s, argmax + at + c, relu_mask ? relu_mask + c : NULL, out_grad + at + c,
                                  add, window + c, LANES);
                if (c < s->channels)
                    spread_window(s, argmax + at + c, relu_mask ? relu_mask + c : NULL, out_grad + at + c,
                                  add, window + c, s->channels - c);
            }
        }
    }
}
