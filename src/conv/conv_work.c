#include "conv/conv_axis.h"

static int64_t all_taps(const Axis *axis) {
    int64_t sum = 0;
    for (int o = 0; o < axis->outputs; o++)
        sum += span_of(axis, o).taps;
    return sum;
}

int64_t conv_multiply_adds(const ConvShape *s) {
    const Axis y = forward_axis(s, s->height, s->out_height), x = forward_axis(s, s->width, s->out_width);
    return all_taps(&y) * all_taps(&x) * s->channels * s->filters;
}
