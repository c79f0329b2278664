/* The layers beside convolution, forward and backward, for rows of `channels` values or n images (NHWC).
 * Single-threaded, no allocation. Gradients are of the loss summed over the images. */
#ifndef PARDIGITS_KERNELS_LAYERS_H
#define PARDIGITS_KERNELS_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

/* Batch norm over n * height * width rows a channel (Ioffe & Szegedy 2015), with the statistics of these rows
 * alone (ghost batch norm). It takes two passes forward and two back, each of which goes over the rows in
 * parts of any size, so that a part is still in the cache from the layer before it. */
typedef struct {
    int channels;
    const float *scale, *shift;       /* [channels] */
    float *mean, *variance, *inv_std; /* [channels] of all rows; first pass: variance is a sum of squares */
    float *scale_grad, *shift_grad;   /* [channels] */
} Norm;

/* Sums over the rows are made of those of blocks of rows, which don't depend on each other: so many floats
 * for the blocks of some rows. */
int64_t norm_block_floats(int channels, int64_t rows);

/* First pass: block_sums of `rows` rows; norm_add_moments takes them into the mean and the sum of squared
 * deviations of the `before` rows before (none: they are written). norm_finish_moments makes the (biased)
 * variance and inv_std of all `rows`. */
void norm_find_moments(const Norm *norm, int64_t rows, const float *in, float *block_sums);
void norm_add_moments(const Norm *norm, int64_t before, int64_t rows, const float *block_sums);
void norm_finish_moments(const Norm *norm, int64_t rows, float epsilon);

/* Second pass: out = (in - mean) * inv_std * scale + shift, and max(out, 0) with relu. */
void norm_forward(const Norm *norm, int64_t rows, const float *in, bool relu, float *out);

/* First pass back: block_sums of `rows` rows. relu_out: the output of a relu that follows, which first makes
 * the gradient 0 where it is 0; or NULL. norm_add_gradients adds sum(gradient) to shift_grad and sum(gradient
 * * (in - mean)) to scale_grad (with before == 0 they are written); norm_finish_gradients then makes them
 * what they are called. */
void norm_find_gradients(const Norm *norm, int64_t rows, const float *in, const float *relu_out,
                         float *gradient, float *block_sums);
void norm_add_gradients(const Norm *norm, int64_t before, int64_t rows, const float *block_sums);
void norm_finish_gradients(const Norm *norm);

/* Second pass back: gradient, of the output, becomes that of the input; all_rows of them make up the
 * statistics. */
void norm_backward(const Norm *norm, int64_t all_rows, int64_t rows, const float *in, float *gradient);

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

/* Largest value of each window; argmax [n][out_height][out_width][channels] is its place in the window (row *
 * window + column, the first of equals). window <= 15. */
void pool_forward(const PoolShape *shape, int n, const float *in, float *out, uint8_t *argmax);

/* The same with a relu directly before or after, which comes to the same: out = max(largest, 0); back,
 * relu_out is that output, NULL: no relu. */
void pool_forward_relu(const PoolShape *shape, int n, const float *in, float *out, uint8_t *argmax);
void pool_backward_relu(const PoolShape *shape, int n, const uint8_t *argmax, const float *relu_out,
                        const float *out_grad, float *in_grad);

/* Average pooling: the mean of each window of window_height x window_width, summed row by row. */
typedef struct {
    int height, width, channels; /* input */
    int window_height, window_width;
    int stride; /* no padding; a rest at the border is dropped */
    int out_height, out_width;
} AveragePoolShape;

void average_pool_forward(const AveragePoolShape *shape, int n, const float *in, float *out);
void average_pool_backward(const AveragePoolShape *shape, int n, const float *out_grad, float *in_grad);

/* out = a + b, and max(out, 0) with relu. out may be a or b. */
void add_forward(int64_t n, const float *a, const float *b, bool relu, float *out);

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

/* ln x for finite x > 0. The C library's log may differ in its last bits from one processor to another. */
double softmax_log(double x);

#endif
