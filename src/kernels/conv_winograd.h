/* The convolution's passes by Winograd's F(4x4, 3x3) (winograd.h): the functions of conv.h for shapes whose
 * method it is. For stride 1 and kernels up to 3x3, and for stride 2 and kernels up to 6x6, which are the sum
 * of four such convolutions, one for each phase: the input's even or odd rows and columns with the kernel's.
 *
 * Of each of the 36 points of all tiles of a block a matrix product is made: tiles x channels (of all phases)
 * times channels x filters. Every element depends on its own tile alone, and is summed in one fixed order. */
#ifndef PARDIGITS_KERNELS_CONV_WINOGRAD_H
#define PARDIGITS_KERNELS_CONV_WINOGRAD_H

#include "pardigits/conv.h"

/* Whether it can compute the shape. */
bool conv_winograd_fits(const ConvShape *shape);
/* Whether it takes clearly fewer multiplications. */
bool conv_winograd_pays(const ConvShape *shape);

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
