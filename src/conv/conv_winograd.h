/* The convolution's passes by Winograd's minimal filtering (winograd.h): the functions of conv.h for shapes
 * whose method it is. For stride 1 and kernels up to 5x5. With stride 2 a convolution is the sum of four with
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

/* Whether it can compute the shape. */
bool conv_winograd_fits(const ConvShape *shape);
/* Whether it takes clearly fewer multiplications: so many that it is faster forward and in the data gradient,
 * or in the weight gradient. */
bool conv_winograd_pays(const ConvShape *shape);
bool conv_winograd_pays_weights(const ConvShape *shape);

int conv_winograd_images_wanted(const ConvShape *shape);
int64_t conv_winograd_work_size(const ConvShape *shape);
int64_t conv_winograd_packed_size(const ConvShape *shape);
void conv_winograd_pack_forward(const ConvShape *shape, const float *weights, float *packed);
void conv_winograd_pack_backward(const ConvShape *shape, const float *weights, float *packed);
void conv_winograd_forward(const ConvShape *shape, int n, const float *in, const float *packed,
                           const float *bias, bool relu, float *out, float *work);
void conv_winograd_backward_data(const ConvShape *shape, int n, const float *out_grad, const float *packed,
                                 const float *relu_out, float *in_grad, float *work);
void conv_winograd_backward_weights(const ConvShape *shape, int n, const float *in, const float *out_grad,
                                    bool add, float *weight_grad, float *work);

#endif
