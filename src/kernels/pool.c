#include "pardigits/layers.h"

#include "vec.h"

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
static void pool_window(const PoolShape *s, const float *in, float *out, uint8_t *winner, int lanes) {
    vec best = vec_load_lanes(in, lanes);
    int_vec best_place = {0};
    for (int place = 1; place < s->window * s->window; place++) {
        const int row = place / s->window, column = place % s->window;
        const vec x = vec_load_lanes(in + ((int64_t)row * s->width + column) * s->channels, lanes);
        const int_vec better = (x > best) | ((x != x) & (best == best));
        best = select_vec(better, x, best);
        best_place = (better & place) | (~better & best_place);
    }
    vec_store_lanes(out, best, lanes);
    const byte_vec places = __builtin_convertvector(best_place, byte_vec);
    if (lanes == LANES)
        memcpy(winner, &places, sizeof places);
    else
        memcpy(winner, &places, (size_t)lanes);
}

void pool_forward(const PoolShape *s, int n, const float *in, float *out, uint8_t *winner) {
    const int64_t row = (int64_t)s->width * s->channels;
    for (int i = 0; i < n; i++, in += s->height * row) {
        for (int y = 0; y < s->out_height; y++) {
            for (int x = 0; x < s->out_width; x++, out += s->channels, winner += s->channels) {
                const float *window = in + y * s->stride * row + (int64_t)x * s->stride * s->channels;
                for (int c = 0; c < s->channels; c += LANES) {
                    const int rest = s->channels - c;
                    pool_window(s, window + c, out + c, winner + c, rest < LANES ? rest : LANES);
                }
            }
        }
    }
}

/* One window, `lanes` channels: its gradient goes to the winner's place. Windows may overlap, so it is added.
 */
static void spread_window(const PoolShape *s, const uint8_t *winner, const float *out_grad, float *in_grad,
                          int lanes) {
    byte_vec places = {0};
    if (lanes == LANES)
        memcpy(&places, winner, sizeof places);
    else
        memcpy(&places, winner, (size_t)lanes);
    const int_vec winners = __builtin_convertvector(places, int_vec);
    const vec gradient = vec_load_lanes(out_grad, lanes);
    for (int place = 0; place < s->window * s->window; place++) {
        const int row = place / s->window, column = place % s->window;
        float *to = in_grad + ((int64_t)row * s->width + column) * s->channels;
        const vec share = select_vec(winners == place, gradient, (vec){0});
        vec_store_lanes(to, vec_load_lanes(to, lanes) + share, lanes);
    }
}

void pool_backward(const PoolShape *s, int n, const uint8_t *winner, const float *out_grad, float *in_grad) {
    const int64_t row = (int64_t)s->width * s->channels;
    for (int i = 0; i < n; i++, in_grad += s->height * row) {
        memset(in_grad, 0, (size_t)(s->height * row) * sizeof *in_grad);
        for (int y = 0; y < s->out_height; y++) {
            for (int x = 0; x < s->out_width; x++, out_grad += s->channels, winner += s->channels) {
                float *window = in_grad + y * s->stride * row + (int64_t)x * s->stride * s->channels;
                for (int c = 0; c < s->channels; c += LANES) {
                    const int rest = s->channels - c;
                    spread_window(s, winner + c, out_grad + c, window + c, rest < LANES ? rest : LANES);
                }
            }
        }
    }
}
