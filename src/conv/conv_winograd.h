/* The convolution's passes by Winograd's minimal filtering (winograd.h), for kernels between at least 16
 * channels: 3x3 and 5x5 with stride 1 and 5x5 with stride 2, unless most of a tile of 4x4 or 2x2 outputs lies
 * outside. It can compute stride 1 and kernels up to 5x5. With stride 2 a convolution is the sum of four with
 * stride 1, one for each phase: the input's even or odd rows and columns with the kernel's; so for kernels up
 * to 10x10.
 *
 * Each tile of outputs becomes 36 points. At each point a matrix product is made of all tiles of a block:
 * tiles x channels (of all phases) times channels x filters. Every element depends on its own tile alone, and
 * is summed in one fixed order; the data gradient adds up what neighbouring tiles have in common image by
 * image. */
#ifndef PARDIGITS_CONV_CONV_WINOGRAD_H
#define PARDIGITS_CONV_CONV_WINOGRAD_H

#include "conv/conv.h"

/* Whether it can compute the shape; it takes those where it saves so many multiplications that it is faster.
 */
bool conv_winograd_fits(const ConvShape *shape);

/* Its weights (conv_winograd_weights.c). */
int64_t conv_winograd_packed_size(const ConvShape *shape);
void conv_winograd_pack_forward(const ConvShape *shape, const float *weights, float *packed);
void conv_winograd_pack_backward(const ConvShape *shape, const float *weights, float *packed);

#endif
