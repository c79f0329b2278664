#include "conv/conv_backend.h"

#include <stdio.h>
#include <string.h>

/* Faster ones first; the last one takes everything. */
static const ConvBackend *const backends[] = {
#if defined(__AMX_BF16__) && defined(__AVX512BF16__)
    &conv_patches,
    &conv_tiles,
#endif
    &conv_winograd,
    &conv_direct,
};

static const ConvBackend *backend_of(const ConvShape *shape, ConvPass pass) {
    size_t b = 0;
    while (b + 1 < sizeof backends / sizeof *backends &&
           ((backends[b]->available && !backends[b]->available()) || !backends[b]->takes(shape, pass)))
        b++;
    return backends[b];
}

ConvShape conv_shape(int height, int width, int channels, int filters, int kernel, int stride, int pad) {
    ConvShape shape = {height, width, channels, filters, kernel, stride, pad, 0, 0, {0}};
    if (kernel <= height + 2 * pad && kernel <= width + 2 * pad) {
        shape.out_height = (height + 2 * pad - kernel) / stride + 1;
        shape.out_width = (width + 2 * pad - kernel) / stride + 1;
    }
    for (int pass = 0; pass < CONV_PASSES; pass++)
        shape.backend[pass] = backend_of(&shape, (ConvPass)pass);
    return shape;
}

void conv_backend_names(char *text, int size) {
    text[0] = 0;
    for (size_t b = 0; b < sizeof backends / sizeof *backends; b++) {
        const size_t used = strlen(text);
        if (!backends[b]->available || backends[b]->available())
            snprintf(text + used, (size_t)size - used, "%s%s", used ? ", " : "", backends[b]->name);
    }
}
