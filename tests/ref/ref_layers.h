/* Naive layers in double: the same arrays as in kernels/layers.h. */
#ifndef PARDIGITS_TESTS_REF_REF_LAYERS_H
#define PARDIGITS_TESTS_REF_REF_LAYERS_H

#include "kernels/layers.h"

/* mean and variance [channels] are written. */
void ref_norm_forward(int64_t rows, int channels, const double *in, const double *scale, const double *shift,
                      double epsilon, double *out, double *mean, double *variance);
void ref_norm_backward(int64_t rows, int channels, const double *in, const double *out_grad,
                       const double *scale, double epsilon, double *in_grad, double *scale_grad,
                       double *shift_grad);

void ref_pool_forward(const PoolShape *shape, int n, const double *in, double *out);
void ref_pool_backward(const PoolShape *shape, int n, const double *in, const double *out_grad,
                       double *in_grad);

void ref_average_pool_forward(const AveragePoolShape *shape, int n, const double *in, double *out);
void ref_average_pool_backward(const AveragePoolShape *shape, int n, const double *out_grad, double *in_grad);

double ref_softmax_loss(int n, int classes, const double *logits, const uint8_t *labels, double smoothing,
                        double *probabilities, double *logit_grad);

#endif
