/* The layers beside convolution, forward and backward, for n images of `size` positions x `channels` (NHWC).
 * Single-threaded, no allocation. Gradients are of the loss summed over the images. */
#ifndef PARDIGITS_LAYERS_H
#define PARDIGITS_LAYERS_H

#include <stdint.h>

/* Batch norm over `rows` = n * height * width values a channel (Ioffe & Szegedy 2015), with the statistics of
 * these rows alone (ghost batch norm). mean, inverse_deviation [channels] are kept for the backward pass;
 * variance (biased) [channels] for the running statistics. */
void norm_forward(int64_t rows, int channels, const float *in, const float *scale, const float *shift,
                  float epsilon, float *out, float *mean, float *variance, float *inverse_deviation);

/* in_grad, scale_grad, shift_grad are written. in is the input of the forward pass. */
void norm_backward(int64_t rows, int channels, const float *in, const float *out_grad, const float *scale,
                   const float *mean, const float *inverse_deviation, float *in_grad, float *scale_grad,
                   float *shift_grad);

/* out = in * factor + offset per channel: batch norm in use, with running statistics folded in. */
void norm_apply(int64_t rows, int channels, const float *in, const float *factor, const float *offset,
                float *out);

/* out = max(in, 0); in place is allowed. */
void relu_forward(int64_t n, const float *in, float *out);
/* in_grad = out_grad where out > 0; in place is allowed. */
void relu_backward(int64_t n, const float *out, const float *out_grad, float *in_grad);

typedef struct {
    int height, width, channels; /* input */
    int window, stride;          /* square window, no padding; a rest at the border is dropped */
    int out_height, out_width;
} PoolShape;

PoolShape pool_shape(int height, int width, int channels, int window, int stride);

/* Largest value of each window; winner [n][out_height][out_width][channels] is its place in the window (row *
 * window + column, the first of equals). window <= 15. */
void pool_forward(const PoolShape *shape, int n, const float *in, float *out, uint8_t *winner);
void pool_backward(const PoolShape *shape, int n, const uint8_t *winner, const float *out_grad,
                   float *in_grad);

/* The same with a relu directly before or after, which comes to the same: out = max(largest, 0); back,
 * relu_out is that output, NULL: no relu. */
void pool_forward_relu(const PoolShape *shape, int n, const float *in, float *out, uint8_t *winner);
void pool_backward_relu(const PoolShape *shape, int n, const uint8_t *winner, const float *relu_out,
                        const float *out_grad, float *in_grad);

/* Dropout: out = in / (1 - rate) where kept, else 0. keep [n] is 0 or 1; in place is allowed. The backward
 * pass is the same function on gradients. */
void dropout_apply(int64_t n, const float *in, const uint8_t *keep, float rate, float *out);

/* Softmax and cross-entropy over `classes` logits a row. probabilities [n][classes] are written; in training
 * logit_grad [n][classes] = probabilities - target (may be NULL), and the summed loss is returned. The target
 * is (1 - smoothing) * one-hot(label) + smoothing / classes (label smoothing: Szegedy et al., "Rethinking the
 * Inception architecture", CVPR 2016). With labels NULL only probabilities are written and 0 is returned. exp
 * is the program's own, so the same on every processor of a build. */
double softmax_loss(int n, int classes, const float *logits, const uint8_t *labels, float smoothing,
                    float *probabilities, float *logit_grad);

#endif
