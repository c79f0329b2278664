/* A backend: one way to compute convolutions, and a line in the table of conv_backends.c, which has the
 * faster ones first. Each pass of a shape goes to the first backend there that takes it. */
#ifndef PARDIGITS_CONV_CONV_BACKEND_H
#define PARDIGITS_CONV_CONV_BACKEND_H

#include "conv/conv.h"

struct ConvBackend {
    const char *name;
    bool (*available)(void); /* on this machine; NULL: on all */
    /* Whether it computes the pass of the shape, and faster than the backends behind it. */
    bool (*takes)(const ConvShape *shape, ConvPass pass);

    /* As the functions of conv.h; packed weights are of the same backend. */
    int64_t (*packed_size)(const ConvShape *shape);
    int64_t (*work_size)(const ConvShape *shape, int n);
    int (*images_wanted)(const ConvShape *shape);
    void (*pack_forward)(const ConvShape *shape, const float *weights, float *packed);
    void (*pack_backward)(const ConvShape *shape, const float *weights, float *packed);
    void (*forward)(const ConvShape *shape, int n, const float *in, const float *packed, const float *bias,
                    bool relu, float *out, float *work);
    void (*backward_data)(const ConvShape *shape, int n, const float *out_grad, const float *packed,
                          const float *relu_out, float *in_grad, float *work);
    /* bias_grad is zeroed before, where it isn't added to; NULL: not wanted. */
    void (*backward_weights)(const ConvShape *shape, int n, const float *in, const float *out_grad, bool add,
                             float *weight_grad, float *bias_grad, float *work);
};

extern const ConvBackend conv_direct, conv_winograd;

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)
extern const ConvBackend conv_tiles, conv_patches;
#endif

/* For backward_weights: bias_grad [filters] (NULL: nothing) += the sum of out_grad, image by image. */
void conv_add_bias_gradient(const ConvShape *shape, int n, const float *out_grad, float *bias_grad);

#endif
