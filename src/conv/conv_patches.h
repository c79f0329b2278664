/* Kernels over images of one channel on matrix tiles: the functions of conv_tiles.h for 5x5, and of them the
 * data gradient for 3x3, whose other passes are as fast without tiles.
 *
 * A tile sums 32 values at a time, of which a kernel's row of one channel would fill 5. So the 25 values
 * under a kernel, a patch, make one row, as in a 1x1 convolution of patches. */
#ifndef PARDIGITS_CONV_CONV_PATCHES_H
#define PARDIGITS_CONV_CONV_PATCHES_H

#include "conv/conv_planes.h"

enum {
    PATCH_SIDE = 5, /* where all passes are on tiles */
    SMALL_PATCH_SIDE = 3,
};

static inline bool is_patches(const ConvShape *s, int side) {
    return s->channels == 1 && s->kernel == side && s->stride == 1 && s->out_width > 1;
}

static inline bool conv_patches_fit(const ConvShape *s) {
    return is_patches(s, PATCH_SIDE);
}

static inline bool conv_patches_fit_data(const ConvShape *s) {
    return is_patches(s, PATCH_SIDE) || is_patches(s, SMALL_PATCH_SIDE);
}

static inline int patch_values(const ConvShape *s) {
    return s->kernel * s->kernel;
}

/* The 1x1 convolution of the patches (their stride is 1 already): it has the same weights and output. */
static inline ConvShape patches_of(const ConvShape *s) {
    ConvShape patches = *s;
    patches.height = s->out_height;
    patches.width = s->out_width;
    patches.channels = patch_values(s);
    patches.kernel = 1;
    patches.pad = 0;
    patches.forward_method = patches.data_method = patches.weight_method = CONV_TILES;
    return patches;
}

int64_t conv_patches_work_size(const ConvShape *shape);
void conv_patches_forward(const ConvShape *shape, int n, const float *in, const float *packed,
                          const float *bias, bool relu, float *out, float *work);
void conv_patches_backward_data(const ConvShape *shape, int n, const float *out_grad, const float *packed,
                                const float *relu_out, float *in_grad, float *work);
void conv_patches_backward_weights(const ConvShape *shape, int n, const float *in, const float *out_grad,
                                   bool add, float *weight_grad, float *work);

#endif
