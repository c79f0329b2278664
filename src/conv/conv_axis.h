/* What the convolution's passes share: sizes, and the two dimensions apart. */
#ifndef PARDIGITS_CONV_CONV_AXIS_H
#define PARDIGITS_CONV_CONV_AXIS_H

#include "conv/conv.h"
#include "core/integers.h"

#include <stdbool.h>

enum {
    /* Floats of images that one pass over the weights works on: they and what is computed from them fit the
     * second-level cache. */
    GROUP_FLOATS = 1 << 17,
    PART_FLOATS = 1 << 13, /* of out_grad that a part of the weight gradient sums: in the first level */
    PIXELS_WANTED = 64,    /* of out_grad in a weight gradient: each call goes through all weights */
    DENSE_SUM = 256,       /* summands of a part of a dense layer's product */
    DENSE_INPUTS = 128,    /* inputs of a dense layer whose weight gradients are summed together */
    COPY_STRIDE = DENSE_INPUTS + 16, /* floats between images in their copy: images in different cache sets */
};

/* Floats of whole cache lines that hold so many. */
static inline int64_t whole_lines(int64_t floats) {
    return round_up(floats, 16);
}

static inline int64_t in_size(const ConvShape *s) {
    return (int64_t)s->height * s->width * s->channels;
}

static inline int64_t out_size(const ConvShape *s) {
    return (int64_t)s->out_height * s->out_width * s->filters;
}

static inline bool is_dense(const ConvShape *s) {
    return s->height == 1 && s->width == 1 && s->kernel == 1 && s->stride == 1 && s->pad == 0;
}

/* Images that are worked on together. */
static inline int group_size(const ConvShape *s, int n) {
    const int64_t size = in_size(s) + out_size(s);
    return is_dense(s) || size * n <= GROUP_FLOATS ? n : (int)larger(1, GROUP_FLOATS / size);
}

/* One dimension of a convolution: output o sums the inputs o * step + offset + t for the taps t, where there
 * are such inputs. */
typedef struct {
    int outputs, inputs, taps, step, offset;
} Axis;

/* Outputs [first, first + count) that have the same taps [tap, tap + taps). */
typedef struct {
    int first, count, tap, taps;
} Span;

static inline Span span_of(const Axis *axis, int output) {
    const int begin = output * axis->step + axis->offset;
    const int tap = begin < 0 ? -begin : 0;
    const int end = axis->inputs - begin < axis->taps ? axis->inputs - begin : axis->taps;
    return tap < end ? (Span){output, 1, tap, end - tap} : (Span){output, 1, 0, 0};
}

static inline Axis forward_axis(const ConvShape *s, int inputs, int outputs) {
    return (Axis){outputs, inputs, s->kernel, s->stride, -s->pad};
}

/* Kernel rows (or columns) that meet an input row of this phase: (row + pad) % stride. */
static inline int taps_of_phase(const ConvShape *s, int phase) {
    return phase < s->kernel ? (s->kernel - phase + s->stride - 1) / s->stride : 0;
}

/* The input rows (or columns) of one phase take the phase's taps from last to first: input row
 * first + o * stride takes row o + skipped - (taps - 1) + t of the output's gradient. */
typedef struct {
    int first, rows, skipped, taps;
} Phase;

static inline Phase phase_of(const ConvShape *s, int phase, int inputs) {
    const int skipped = phase < s->pad ? (s->pad - phase + s->stride - 1) / s->stride : 0;
    const int first = skipped * s->stride + phase - s->pad;
    return (Phase){first, first < inputs ? (inputs - 1 - first) / s->stride + 1 : 0, skipped,
                   taps_of_phase(s, phase)};
}

#endif
