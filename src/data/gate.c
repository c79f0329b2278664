#include "data/gate.h"

#include "data/gate_weights.h"

/* A convolution without padding over a square of in_side^2 pixels, with batch norm folded in, and a relu. */
typedef struct {
    int in_side, channels, kernel, stride, filters;
    const int8_t *weights;       /* [kernel][kernel][channels][filters] */
    const float *scale, *offset; /* [filters] */
} GateLayer;

enum {
    SIDE_1 = 12, /* pixels on a side after each layer */
    SIDE_2 = 10,
    SIDE_3 = 3,
    FILTERS_1 = sizeof gate_scale_1 / sizeof *gate_scale_1,
    FILTERS_2 = sizeof gate_scale_2 / sizeof *gate_scale_2,
    FILTERS_3 = sizeof gate_scale_3 / sizeof *gate_scale_3,
    FEATURES = SIDE_3 * SIDE_3 * FILTERS_3,
    MOST_VALUES = SIDE_2 * SIDE_2 * FILTERS_2, /* that a layer gives */
    OUTPUTS = GATE_DIGITS + 1                  /* the last one is what isn't a digit */
};

static const GateLayer layers[] = {
    {IMAGE_SIDE, 1, 5, 2, FILTERS_1, gate_weights_1, gate_scale_1, gate_offset_1},
    {SIDE_1, FILTERS_1, 3, 1, FILTERS_2, gate_weights_2, gate_scale_2, gate_offset_2},
    {SIDE_2 / 2, FILTERS_2, 3, 1, FILTERS_3, gate_weights_3, gate_scale_3, gate_offset_3},
};

/* Adds what one pixel of the input gives to all filters. */
static void add_pixel(const GateLayer *layer, const float *in, const int8_t *weights, float *sums) {
    for (int c = 0; c < layer->channels; c++)
        for (int f = 0; f < layer->filters; f++)
            sums[f] += in[c] * (float)weights[c * layer->filters + f];
}

/* in [in_side][in_side][channels], out [side][side][filters] */
static void convolve(const GateLayer *layer, const float *in, float *out) {
    const int side = (layer->in_side - layer->kernel) / layer->stride + 1;
    for (int i = 0; i < side * side; i++) {
        float sums[FILTERS_3] = {0};
        const int top = i / side * layer->stride, left = i % side * layer->stride;
        for (int k = 0; k < layer->kernel * layer->kernel; k++) {
            const int place = (top + k / layer->kernel) * layer->in_side + left + k % layer->kernel;
            add_pixel(layer, in + place * layer->channels,
                      layer->weights + k * layer->channels * layer->filters, sums);
        }
        for (int f = 0; f < layer->filters; f++) {
            const float value = sums[f] * layer->scale[f] + layer->offset[f];
            out[i * layer->filters + f] = value > 0 ? value : 0;
        }
    }
}

/* The largest of 2x2; an odd last row and column are left out. in [side][side][filters] */
static void pool(const float *in, int side, int filters, float *out) {
    const int half = side / 2;
    for (int i = 0; i < half * half; i++)
        for (int f = 0; f < filters; f++) {
            const float *from = in + ((i / half * 2) * side + i % half * 2) * filters + f;
            float most = from[0];
            const int others[] = {filters, side * filters, (side + 1) * filters};
            for (int k = 0; k < 3; k++)
                if (from[others[k]] > most) most = from[others[k]];
            out[i * filters + f] = most;
        }
}

bool gate_knows(ImageSpec spec) {
    return spec.from == IMAGE_FROM_DIGITS && image_spec_equal(spec, image_spec_mnist());
}

/* outputs [OUTPUTS]; logits */
static void evaluate(const uint8_t *image, float *outputs) {
    float a[MOST_VALUES], b[MOST_VALUES];
    for (int i = 0; i < IMAGE_PIXELS; i++)
        a[i] = (float)image[i] / 255;
    convolve(&layers[0], a, b);
    convolve(&layers[1], b, a);
    pool(a, SIDE_2, FILTERS_2, b);
    convolve(&layers[2], b, a);
    for (int o = 0; o < OUTPUTS; o++)
        outputs[o] = 0;
    for (int i = 0; i < FEATURES; i++)
        for (int o = 0; o < OUTPUTS; o++)
            outputs[o] += a[i] * (float)gate_weights_4[i * OUTPUTS + o];
    for (int o = 0; o < OUTPUTS; o++)
        outputs[o] = outputs[o] * gate_scale_4[o] + gate_offset_4[o];
}

/* Whether ink is on half of an image or more. It is on at most 40 % of MNIST's training images, and on at
 * most 49 % of the digits that the network learnt from: what it would say of others isn't learnt. */
static bool is_filled(const uint8_t *image) {
    const int pixels = IMAGE_SIDE * IMAGE_SIDE;
    int inked = 0;
    for (int i = 0; i < pixels; i++)
        inked += image[i] > UINT8_MAX / 2;
    return 2 * inked >= pixels;
}

void gate_log_odds(const uint8_t *image, float *log_odds) {
    const float none = -20; /* beyond any doubt */
    float outputs[OUTPUTS];
    const bool filled = is_filled(image);
    if (!filled) evaluate(image, outputs);
    for (int k = 0; k < GATE_DIGITS; k++)
        log_odds[k] = filled ? none : outputs[k] - outputs[GATE_DIGITS];
}
