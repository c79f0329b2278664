/* Naive convolution in double: the same arrays as in conv/conv.h, without packing. */
#ifndef PARDIGITS_TESTS_REF_REF_CONV_H
#define PARDIGITS_TESTS_REF_REF_CONV_H

#include "conv/conv.h"

void ref_conv_forward(const ConvShape *shape, int n, const double *in, const double *weights,
                      const double *bias, double *out);
void ref_conv_backward_data(const ConvShape *shape, int n, const double *out_grad, const double *weights,
                            double *in_grad);
void ref_conv_backward_weights(const ConvShape *shape, int n, const double *in, const double *out_grad,
                               double *weight_grad, double *bias_grad);

#endif
