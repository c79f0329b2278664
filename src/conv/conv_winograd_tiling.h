/* What the passes of Winograd's method share: how images are cut into tiles, and how matrices lie at the
 * points. */
#ifndef PARDIGITS_CONV_CONV_WINOGRAD_TILING_H
#define PARDIGITS_CONV_CONV_WINOGRAD_TILING_H

#include "conv/conv_axis.h"
#include "conv/product.h"
#include "conv/winograd.h"

/* An image as tiles see it, which have `side` x `side` outputs. Pixel (i, j) of tile (ty, tx) in phase (py,
 * px) is the image's pixel (stride * (side * ty + i) + py - pad, stride * (side * tx + j) + px - pad), or
 * zero outside. */
typedef struct {
    int height, width, channels;
    int stride, pad, side;
} Lattice;

/* Input and output of a layer, tile by tile: 6x6 inputs in each phase, and outputs, which have but one. */
typedef struct {
    Lattice in, out;
    int tiles_y, tiles_x;
} Tiling;

/* 4x4 outputs of kernels with up to 3x3 taps in each phase, 2x2 of larger ones. */
static inline int tile_side(const ConvShape *s) {
    return s->kernel <= winograd_taps(4) * s->stride ? 4 : 2;
}

static inline Tiling tiling_of(const ConvShape *s) {
    const int side = tile_side(s);
    return (Tiling){{s->height, s->width, s->channels, s->stride, s->pad, side},
                    {s->out_height, s->out_width, s->filters, 1, 0, side},
                    (s->out_height + side - 1) / side,
                    (s->out_width + side - 1) / side};
}

static inline int phases(const Lattice *l) {
    return l->stride * l->stride;
}

/* Columns of a matrix with all channels of all phases, each phase's of whole vectors. */
static inline int columns_of(const Lattice *l) {
    return phases(l) * product_round_up(l->channels);
}

/* An odd number of cache lines, so that the same place at all points doesn't meet in one cache set. */
static inline int64_t odd_lines(int64_t floats) {
    return ((floats + 15) / 16 | 1) * 16;
}

/* Floats between the points of the weights. */
static inline int64_t weight_step(const Tiling *t) {
    return odd_lines((int64_t)columns_of(&t->in) * columns_of(&t->out));
}

/* weight_grad, from the sums at all points (weight_step apart) of in x out columns; or added to it. */
void conv_winograd_finish_weights(const ConvShape *shape, const float *sums, bool add, float *weight_grad);

#endif
