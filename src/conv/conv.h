/* Convolution over NHWC images: forward, gradient of the input, gradient of the weights. Dense layers are the
 * same thing with a 1x1 kernel over a 1x1 image. Single-threaded; no allocation: the caller passes work
 * memory.
 *
 * As an implicit matrix product: a row of the product is an output pixel, a column an output channel, and the
 * sum runs over (kernel row, kernel column, input channel). For one kernel row the inputs of a pixel lie in
 * one contiguous run of kernel * channels floats, so no im2col copy is needed. Every element is summed in one
 * fixed order: a sample's output and data gradient have the same bits wherever it stands in a batch. n is at
 * least 1.
 *
 * On processors with AMX matrix tiles compute it (conv_tiles.h, conv_patches.c), from floats split into two
 * bfloat16 each: a product of two floats then differs by up to 2^-15 of itself before it is added to a sum of
 * floats. Elsewhere Winograd's minimal filtering (conv_winograd.h) takes over where it saves enough
 * multiplications; its rounding errors are a few times as large as those of plain sums. */
#ifndef PARDIGITS_CONV_CONV_H
#define PARDIGITS_CONV_CONV_H

#include "parallel/team.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { CONV_FORWARD, CONV_DATA, CONV_WEIGHTS, CONV_PASSES } ConvPass;

/* A way to compute passes (conv_backend.h). */
typedef struct ConvBackend ConvBackend;

typedef struct {
    int height, width, channels;             /* input */
    int filters;                             /* output channels */
    int kernel, stride, pad;                 /* square kernel; pad zeros on each of the four sides */
    int out_height, out_width;               /* (height + 2 pad - kernel) / stride + 1, likewise the width */
    const ConvBackend *backend[CONV_PASSES]; /* who computes each pass */
} ConvShape;

/* The shape with its output size and, for each pass, the fastest backend that this build and this machine
 * have; out_height is 0 if the kernel doesn't fit into the padded image. */
ConvShape conv_shape(int height, int width, int channels, int filters, int kernel, int stride, int pad);

/* Images that the weight gradient should get at a time: each call has work of its own beside theirs. */
int conv_images_wanted(const ConvShape *shape);

/* Multiply-adds of one image, without those by padding zeros: the same in each of the three passes. */
int64_t conv_multiply_adds(const ConvShape *shape);

/* Floats of work memory that any of the functions below may use for n images. */
int64_t conv_work_size(const ConvShape *shape, int n);

/* Weights as the kernels want them, made once an optimiser step from weights
 * [kernel][kernel][channels][filters]. */
int64_t conv_packed_size(const ConvShape *shape); /* floats, the larger of the two */
void conv_pack_forward(const ConvShape *shape, const float *weights, float *packed);
void conv_pack_backward(const ConvShape *shape, const float *weights, float *packed);

/* out [n][out_height][out_width][filters] = in [n][height][width][channels] * weights + bias [filters] (may
 * be NULL). */
void conv_forward(const ConvShape *shape, int n, const float *in, const float *packed_forward,
                  const float *bias, float *out, float *work);
/* The same, and out = max(out, 0). */
void conv_forward_relu(const ConvShape *shape, int n, const float *in, const float *packed_forward,
                       const float *bias, float *out, float *work);

/* in_grad [n][height][width][channels] from out_grad [n][out_height][out_width][filters]. */
void conv_backward_data(const ConvShape *shape, int n, const float *out_grad, const float *packed_backward,
                        float *in_grad, float *work);
/* The same where relu_out, laid out like in_grad, is above 0, and 0 elsewhere: the gradient of what a relu
 * took. relu_out NULL: as above. */
void conv_backward_data_relu(const ConvShape *shape, int n, const float *out_grad,
                             const float *packed_backward, const float *relu_out, float *in_grad,
                             float *work);

/* weight_grad [kernel][kernel][channels][filters] and bias_grad [filters] (may be NULL): sums over the n
 * images, written. */
void conv_backward_weights(const ConvShape *shape, int n, const float *in, const float *out_grad,
                           float *weight_grad, float *bias_grad, float *work);

/* A weight gradient for several threads: it has conv_weight_parts parts or fewer, of which threads compute
 * one each, every one over all images, or they take turns where each adds its own images. */
enum { CONV_MOST_PARTS = 16 };
int conv_weight_parts(const ConvShape *shape);

typedef struct {
    int n;
    const float *in, *out_grad;
    bool add; /* to what is there */
    float *weight_grad, *bias_grad, *work;
    int first_part, end_part, parts; /* these of so many, at most conv_weight_parts */
    Turns *turns;                    /* [parts] each part is added in this turn of its own; NULL: at once */
    int turn;
} ConvWeightSum;

/* As conv_backward_weights, the parts of it that sum names. Turns come in the order of parts. */
void conv_sum_weights(const ConvShape *shape, const ConvWeightSum *sum);

/* The backends that this machine has, the faster ones first: "winograd, direct". */
void conv_backend_names(char *text, int size);

#endif
