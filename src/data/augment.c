#include "data/affine.h"

#include "core/rng.h"
#include "data/augment.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* One change of place. slant is the columns that a row is moved further than the one below it. */
typedef struct {
    float shift_x, shift_y, slant, wider;
    double radians, factor;
} Change;

/* The inverse of: make `wider` times as wide and as low, slant, turn by the angle and scale by factor about
 * the image's centre, then shift. */
static Affine inverse_of(ImageSpec spec, const Change *change) {
    const float slant = change->slant, wider = change->wider;
    /* converted from double, so that the compiler can't fuse the halving with what is subtracted from it */
    const float centre_x = (float)((spec.width - 1) / 2.0), centre_y = (float)((spec.height - 1) / 2.0);
    float c = (float)(cos(change->radians) / change->factor),
          s = (float)(sin(change->radians) / change->factor);
    float x = centre_x + change->shift_x, y = centre_y + change->shift_y;
    float xx = (c - slant * s) / wider, xy = (s + slant * c) / wider, yx = -s * wider, yy = c * wider;
    return (Affine){xx, xy, centre_x - xx * x - xy * y, yx, yy, centre_y - yx * x - yy * y};
}

static float between(float low, float high, float uniform) {
    return low + (high - low) * uniform;
}

/* A factor between 1 / (1 + most) and 1 + most, as likely below 1 as above. */
static float factor_between(float most, float uniform) {
    const float change = between(-most, most, uniform);
    return change < 0 ? 1 / (1 - change) : 1 + change;
}

/* Makes strokes thicker, or with change < 0 thinner: each pixel goes so far, at most all of the way, to the
 * largest or the least of itself and its four neighbours. */
__attribute__((always_inline)) static inline void change_strokes(float change, int height, int width,
                                                                 float *image) {
    const bool thicker = change > 0;
    const float share = fabsf(change);
    float padded[SIDE_MAX + 2][SIDE_MAX + 2];
    for (int y = 0; y < height + 2; y++)
        memset(padded[y], 0, (size_t)(width + 2) * sizeof *image);
    for (int y = 0; y < height; y++)
        memcpy(padded[y + 1] + 1, image + (ptrdiff_t)y * width, (size_t)width * sizeof *image);
    for (int y = 0; y < height; y++) {
        const float *above = padded[y] + 1, *row = padded[y + 1] + 1, *below = padded[y + 2] + 1;
        for (int x = 0; x < width; x++) {
            const float near[] = {above[x], below[x], row[x - 1], row[x + 1]};
            float largest = row[x], least = row[x];
            for (int k = 0; k < 4; k++) {
                largest = near[k] > largest ? near[k] : largest;
                least = near[k] < least ? near[k] : least;
            }
            image[y * width + x] = row[x] + share * ((thicker ? largest : least) - row[x]);
        }
    }
}

static void change_thickness(float change, ImageSpec spec, float *image) {
    /* constants make fast loops */
    if (spec.height == 28 && spec.width == 28)
        change_strokes(change, 28, 28, image);
    else
        change_strokes(change, spec.height, spec.width, image);
}

void augment_image(const Augmentation *augmentation, ImageSpec spec, AugmentKey key, const uint8_t *image,
                   float *out) {
    const float shift = augmentation->shift_pixels, degrees = augmentation->rotate_deg,
                zoom = augmentation->zoom, shear = augmentation->shear_deg,
                elastic = augmentation->elastic_pixels, stretch = augmentation->stretch,
                thickness = augmentation->thickness;
    const int pixels = image_spec_pixels(spec);
    if (shift == 0 && degrees == 0 && zoom == 0 && shear == 0 && elastic == 0 && stretch == 0 &&
        thickness == 0) {
        for (int i = 0; i < pixels; i++)
            out[i] = image[i] / 255.0f;
        return;
    }

    float uniform[4], more[4] = {0.5f, 0.5f, 0.5f};
    rng_uniform4((RngKey){key.seed, RNG_AUGMENT}, key.epoch, key.sample, 0, uniform);
    if (shear > 0 || stretch > 0 || thickness > 0)
        rng_uniform4((RngKey){key.seed, RNG_AUGMENT}, key.epoch, key.sample, 1, more);
    const Change change = {.shift_x = between(-shift, shift, uniform[0]),
                           .shift_y = between(-shift, shift, uniform[1]),
                           .slant = (float)tan(between(-shear, shear, more[0]) * (M_PI / 180)),
                           .wider = factor_between(stretch, more[1]),
                           .radians = between(-degrees, degrees, uniform[2]) * (M_PI / 180),
                           .factor = between(1 - zoom, 1 + zoom, uniform[3])};
    const Affine source = inverse_of(spec, &change);
    Displacement displacement;
    if (elastic > 0) elastic_draw(elastic, augmentation->elastic_sigma, spec, key, &displacement);
    affine_sample(&source, elastic > 0 ? &displacement : NULL, spec, image, out);
    for (int i = 0; i < pixels; i++)
        out[i] /= 255.0f;
    if (thickness > 0) change_thickness(between(-thickness, thickness, more[2]), spec, out);
}
