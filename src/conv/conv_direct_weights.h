/* The weight gradient of direct convolution. */
#ifndef PARDIGITS_CONV_CONV_DIRECT_WEIGHTS_H
#define PARDIGITS_CONV_CONV_DIRECT_WEIGHTS_H

#include "conv/conv.h"

/* As ConvBackend.backward_weights. */
void conv_direct_backward_weights(const ConvShape *shape, int n, const float *in, const float *out_grad,
                                  bool add, float *weight_grad, float *bias_grad, float *work);

#endif
