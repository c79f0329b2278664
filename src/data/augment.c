#include "affine.h"

#include "pardigits/images.h"
#include "pardigits/rng.h"

#include <math.h>

/* The inverse of: slant, turn by the angle and scale by factor about the image's centre, then shift. slant is
 * the columns that a row is moved further than the one below it. */
static Affine inverse_of(float shift_x, float shift_y, double radians, double factor, float slant) {
    const float centre = (IMAGE_SIDE - 1) / 2.0f;
    float c = (float)(cos(radians) / factor), s = (float)(sin(radians) / factor);
    float x = centre + shift_x, y = centre + shift_y, xx = c - slant * s, xy = s + slant * c;
    return (Affine){
        .xx = xx, .xy = xy, .x0 = centre - xx * x - xy * y, .yx = -s, .yy = c, .y0 = centre + s * x - c * y};
}

static float between(float low, float high, float uniform) {
    return low + (high - low) * uniform;
}

void augment_image(const Augmentation *augmentation, uint32_t seed, uint32_t epoch, uint64_t sample,
                   const uint8_t *image, float *out) {
    const float shift = augmentation->shift_pixels, degrees = augmentation->rotate_deg,
                zoom = augmentation->zoom, shear = augmentation->shear_deg,
                elastic = augmentation->elastic_pixels;
    if (shift == 0 && degrees == 0 && zoom == 0 && shear == 0 && elastic == 0) {
        for (int i = 0; i < IMAGE_PIXELS; i++)
            out[i] = image[i] / 255.0f;
        return;
    }

    float uniform[4], slant[4] = {0.5f};
    rng_uniform4((RngKey){seed, RNG_AUGMENT}, epoch, sample, 0, uniform);
    if (shear > 0) rng_uniform4((RngKey){seed, RNG_AUGMENT}, epoch, sample, 1, slant);
    Affine source = inverse_of(between(-shift, shift, uniform[0]), between(-shift, shift, uniform[1]),
                               between(-degrees, degrees, uniform[2]) * (M_PI / 180),
                               between(1 - zoom, 1 + zoom, uniform[3]),
                               (float)tan(between(-shear, shear, slant[0]) * (M_PI / 180)));
    Displacement displacement;
    if (elastic > 0) elastic_draw(elastic, augmentation->elastic_sigma, seed, epoch, sample, &displacement);
    affine_sample(&source, elastic > 0 ? &displacement : NULL, image, out);
    for (int i = 0; i < IMAGE_PIXELS; i++)
        out[i] /= 255.0f;
}
