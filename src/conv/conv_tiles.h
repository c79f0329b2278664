/* The convolution's passes on matrix tiles (tiles.h): the functions of conv.h for passes whose method
 * is CONV_TILES.
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

int64_t conv_tiles_work_size(const ConvShape *shape, int n);
int64_t conv_tiles_packed_size(const ConvShape *shape);
void conv_tiles_pack_forward(const ConvShape *shape, const float *weights, float *packed);
void conv_tiles_pack_backward(const ConvShape *shape, const float *weights, float *packed);
void conv_tiles_forward(const ConvShape *shape, int n, const float *in, const float *packed,
                        const float *bias, bool relu, float *out, float *work);
void conv_tiles_backward_data(const ConvShape *shape, int n, const float *out_grad, const float *packed,
                              const float *relu_out, float *in_grad, float *work);
int64_t conv_tiles_weights_work_size(const ConvShape *shape, int n);
void conv_tiles_backward_weights(const ConvShape *shape, int n, const float *in, const float *out_grad,
                                 bool add, float *weight_grad, float *work);

#else /* never called */

static inline int64_t conv_tiles_work_size(const ConvShape *shape, int n) {
    (void)shape, (void)n;
    return 0;
}
static inline int64_t conv_tiles_packed_size(const ConvShape *shape) {
    (void)shape;
    return 0;
}
static inline void conv_tiles_pack_forward(const ConvShape *shape, const float *weights, float *packed) {
    (void)shape, (void)weights, (void)packed;
}
static inline void conv_tiles_pack_backward(const ConvShape *shape, const float *weights, float *packed) {
    (void)shape, (void)weights, (void)packed;
}
static inline void conv_tiles_forward(const ConvShape *shape, int n, const float *in, const float *packed,
                                      const float *bias, bool relu, float *out, float *work) {
    (void)shape, (void)n, (void)in, (void)packed, (void)bias, (void)relu, (void)out, (void)work;
}
static inline void conv_tiles_backward_data(const ConvShape *shape, int n, const float *out_grad,
                                            const float *packed, const float *relu_out, float *in_grad,
                                            float *work) {
    (void)shape, (void)n, (void)out_grad, (void)packed, (void)relu_out, (void)in_grad, (void)work;
}
static inline int64_t conv_tiles_weights_work_size(const ConvShape *shape, int n) {
    (void)shape, (void)n;
    return 0;
}
static inline void conv_tiles_backward_weights(const ConvShape *shape, int n, const float *in,
                                               const float *out_grad, bool add, float *weight_grad,
                                               float *work) {
    (void)shape, (void)n, (void)in, (void)out_grad, (void)add, (void)weight_grad, (void)work;
}

#endif
#endif
