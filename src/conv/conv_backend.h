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
    int (*weight_parts)(const ConvShape *shape); /* NULL: one */
    void (*sum_weights)(const ConvShape *shape, const ConvWeightSum *sum);
};

extern const ConvBackend conv_direct, conv_winograd;

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)
extern const ConvBackend conv_tiles, conv_patches;
#endif

/* For sum_weights, around what is added to a part. */
static inline void conv_begin_part(const ConvWeightSum *sum, int part) {
    if (sum->turns) turns_begin(&sum->turns[part], sum->turn);
}

static inline void conv_end_part(const ConvWeightSum *sum, int part) {
    if (sum->turns) turns_end(&sum->turns[part]);
}

/* For sum_weights: bias_grad [filters] (NULL: nothing) is, or grows by, the sum of out_grad, image by image.
 */
void conv_sum_bias(const ConvShape *shape, const ConvWeightSum *sum);

#endif
