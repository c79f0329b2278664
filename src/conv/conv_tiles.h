/* The convolution's passes on matrix tiles (tiles.h): for images of several
 * channels.
 *
 * An image is split into bfloat16 and laid out as `stride` x `stride` planes, each with its share of the
 * zeros around the image, so that the input of a kernel's tap for all output pixels of a plane lies at one
 * offset, pixel behind pixel. Rows of the product are the plane's pixels, also those beyond the output's
 * width, which nobody keeps: so any 32 of them are evenly spaced. */
#ifndef PARDIGITS_CONV_CONV_TILES_H
#define PARDIGITS_CONV_CONV_TILES_H

#include "conv/conv.h"

#include <stdbool.h>

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

int64_t conv_tiles_packed_size(const ConvShape *shape);
void conv_tiles_pack_forward(const ConvShape *shape, const float *weights, float *packed);
void conv_tiles_pack_backward(const ConvShape *shape, const float *weights, float *packed);
int64_t conv_tiles_weights_work_size(const ConvShape *shape, int n);
void conv_tiles_sum_weights(const ConvShape *shape, const ConvWeightSum *sum);

#endif
#endif
