#include "conv/conv_winograd.h"

#include <string.h>

#include "conv/conv_winograd_tiling.h"

/* Where the weights [channels][filters] of a phase's tap (y, x) begin; -1: it has no such tap. */
static int64_t tap_place(const ConvShape *s, int phase, int y, int x) {
    const int ky = y * s->stride + phase / s->stride, kx = x * s->stride + phase % s->stride;
    if (ky >= s->kernel || kx >= s->kernel) return -1;
    return ((int64_t)ky * s->kernel + kx) * s->channels * s->filters;
}

/* All points of some filters' weights of one phase and channel. */
static void weights_to_points(const ConvShape *s, const float *weights, int phase, int channel, int filter,
                              vec values[WINOGRAD_POINTS]) {
    const int lanes = lanes_from(s->filters, filter), side = tile_side(s), taps = winograd_taps(side);
    for (int y = 0; y < taps; y++)
        for (int x = 0; x < taps; x++) {
            const int64_t tap = tap_place(s, phase, y, x);
            vec weight = {0};
            if (tap >= 0)
                weight = vec_load_lanes(weights + tap + (int64_t)channel * s->filters + filter, lanes);
            values[y * WINOGRAD_IN + x] = weight;
        }
    if (side == 4)
        winograd_kernel(values, 4);
    else
        winograd_kernel(values, 2);
}

int64_t conv_winograd_packed_size(const ConvShape *s) {
    const Tiling t = tiling_of(s);
    return WINOGRAD_POINTS * weight_step(&t);
}

/* packed [point]: for a product [column of in][column of out]. */
void conv_winograd_pack_forward(const ConvShape *s, const float *weights, float *packed) {
    const Tiling t = tiling_of(s);
    const int64_t step = weight_step(&t);
    vec values[WINOGRAD_POINTS];
    memset(packed, 0, (size_t)conv_winograd_packed_size(s) * sizeof *packed);
    for (int f = 0; f < s->filters; f += LANES) {
        const PackedColumn column = product_packed_column(columns_of(&t.in), columns_of(&t.out), f);
        for (int phase = 0; phase < phases(&t.in); phase++)
            for (int c = 0; c < s->channels; c++) {
                float *to = packed + column.begin + (phase * product_round_up(s->channels) + c) * column.step;
                weights_to_points(s, weights, phase, c, f, values);
                for (int u = 0; u < WINOGRAD_POINTS; u++)
                    vec_store(to + u * step, values[u]);
            }
    }
}

/* packed [point]: for a product [column of out][column of in]. */
void conv_winograd_pack_backward(const ConvShape *s, const float *weights, float *packed) {
    const Tiling t = tiling_of(s);
    const int64_t step = weight_step(&t);
    vec values[WINOGRAD_POINTS];
    memset(packed, 0, (size_t)conv_winograd_packed_size(s) * sizeof *packed);
    for (int phase = 0; phase < phases(&t.in); phase++)
        for (int c = 0; c < s->channels; c++) {
            const PackedColumn column = product_packed_column(columns_of(&t.out), columns_of(&t.in),
                                                              phase * product_round_up(s->channels) + c);
            for (int f = 0; f < s->filters; f += LANES) {
                float *to = packed + column.begin + f * column.step;
                weights_to_points(s, weights, phase, c, f, values);
                for (int u = 0; u < WINOGRAD_POINTS; u++)
                    for (int lane = 0; lane < lanes_from(s->filters, f); lane++)
                        to[u * step + lane * column.step] = values[u][lane];
            }
        }
}

/* weight_grad of some filters of one phase and channel, from the sums at all points. */
static void points_to_weights(const ConvShape *s, vec values[WINOGRAD_POINTS], bool add, int phase,
                              int channel, int filter, float *weight_grad) {
    const int lanes = lanes_from(s->filters, filter), side = tile_side(s), taps = winograd_taps(side);
    if (side == 4)
        winograd_kernel_gradient(values, 4);
    else
        winograd_kernel_gradient(values, 2);
    for (int y = 0; y < taps; y++)
        for (int x = 0; x < taps; x++) {
            const int64_t tap = tap_place(s, phase, y, x);
            if (tap < 0) continue;
            float *to = weight_grad + tap + (int64_t)channel * s->filters + filter;
            vec value = values[y * WINOGRAD_IN + x];
            if (add) value += vec_load_lanes(to, lanes);
            vec_store_lanes(to, value, lanes);
        }
}

void conv_winograd_finish_weights(const ConvShape *s, const float *sums, bool add, float *weight_grad) {
    const Tiling t = tiling_of(s);
    const int columns = columns_of(&t.out);
    vec values[WINOGRAD_POINTS];
    for (int phase = 0; phase < phases(&t.in); phase++)
        for (int c = 0; c < s->channels; c++) {
            const float *from = sums + ((int64_t)phase * product_round_up(s->channels) + c) * columns;
            for (int f = 0; f < s->filters; f += LANES) {
                for (int u = 0; u < WINOGRAD_POINTS; u++)
                    values[u] = vec_load(from + f + u * weight_step(&t));
                points_to_weights(s, values, add, phase, c, f, weight_grad);
            }
        }
}
