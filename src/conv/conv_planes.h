/* Images as the tiles read them: split into bfloat16 and cut into planes (conv_tiles.h). */
#ifndef PARDIGITS_CONV_CONV_PLANES_H
#define PARDIGITS_CONV_CONV_PLANES_H

#include "conv/conv.h"
#include "core/integers.h"

#include <string.h>

#include "conv/conv_axis.h"
#include "kernels/tiles.h"

/* Pixel (y, x) of plane (a, b) is the image's (y * stride + a - pad, x * stride + b - pad), or zeros where
 * the image has none. */
typedef struct {
    int image_height, image_width, channels;
    int stride, pad, phases; /* a and b are below `phases` */
    int height, width;       /* of a plane */
} Planes;

static inline int64_t plane_pixels(const Planes *planes) {
    return (int64_t)planes->height * planes->width;
}

/* The input of a convolution. A kernel's tap (row, column) reads plane (row % stride, column % stride) at
 * offset (row / stride, column / stride). */
static inline Planes input_planes(const ConvShape *s) {
    const int taps = (s->kernel + s->stride - 1) / s->stride;
    const int phases = s->stride < s->kernel ? s->stride : s->kernel;
    return (Planes){s->height,
                    s->width,
                    s->channels,
                    s->stride,
                    s->pad,
                    phases,
                    s->out_height + taps - 1,
                    s->out_width + taps - 1};
}

/* The image pixels on one line of a plane: those of [first, first + count) of its `width`. */
static inline Span line_span(const Planes *planes, int phase, int width, int image_width) {
    const int offset = phase - planes->pad;
    const int first = offset < 0 ? (-offset + planes->stride - 1) / planes->stride : 0;
    const int end = image_width > offset ? (image_width - 1 - offset) / planes->stride + 1 : 0;
    const int last = end < width ? end : width;
    return (Span){.first = first, .count = last > first ? last - first : 0};
}

/* A 1x1 output without padding is a dense layer over all values of the image. */
static inline ConvShape flattened(const ConvShape *s) {
    if (s->out_height > 1 || s->out_width > 1 || s->pad || s->kernel != s->height || s->kernel != s->width)
        return *s;
    ConvShape dense = *s;
    dense.height = dense.width = dense.kernel = dense.stride = 1;
    dense.channels = s->height * s->width * s->channels;
    return dense;
}

static inline int64_t tiles_of(int64_t n) {
    return divide_up(n, TILE_SIDE);
}

static inline int64_t padded(int64_t n) {
    return round_up(n, TILE_SIDE);
}

#endif
