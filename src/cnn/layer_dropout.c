/* dropout:RATE: in training sets a share RATE of the values to 0 and divides the others by 1 - RATE. */
#include "cnn/layer.h"

#include "core/rng.h"

#include <stdlib.h>

static StatusCode parse(Layer *layer, const LayerText *text) {
    char *end;
    double rate = strtod(text->field[1], &end);
    if (end == text->field[1] || *end || !(rate >= 0 && (float)rate < 1))
        return layer_refuse(text, "its rate must be a number from 0 to below 1, also as a float");
    layer->rate = (float)rate;
    return STATUS_OK;
}

/* A value is kept where a uniform 32-bit number is at least rate * 2^32; its counter is (epoch, sample, layer
 * and place), so that it doesn't matter who draws it and when. */
static void draw_mask(const LayerPass *pass, uint32_t sample, int64_t values, uint8_t *mask) {
    const LayerDraw *draw = pass->draw;
    const uint32_t threshold = (uint32_t)((double)pass->layer->rate * 0x1p32);
    rng_fill((RngKey){draw->seed, RNG_DROPOUT}, draw->epoch, sample, draw->layer << 24, (values + 3) / 4,
             draw->random);
    const uint32_t *bits = draw->random[0];
    for (int64_t v = 0; v < values; v++)
        mask[v] = bits[v] >= threshold;
}

static void forward(const LayerPass *pass) {
    const int64_t values = tensor_values(pass->layer->out);
    for (int i = 0; i < pass->n; i++)
        draw_mask(pass, pass->draw->samples[i], values, pass->mask + i * values);
    dropout_apply(pass->n * values, pass->in, pass->mask, pass->layer->rate, pass->out);
}

static void backward(const LayerPass *pass) {
    dropout_apply(pass->n * tensor_values(pass->layer->out), pass->gradient, pass->mask, pass->layer->rate,
                  pass->in_gradient);
}

const LayerType layer_dropout = {
    .word = "dropout",
    .form = "dropout:RATE",
    .min_fields = 2,
    .max_fields = 2,
    .in_place = true,
    .gradient_in_place = true,
    .only_in_training = true,
    .has_mask = true,
    .parse = parse,
    .forward = forward,
    .backward = backward,
};
