#include "data/affine.h"

#include "core/rng.h"
#include "data/augment.h"
#include "store/dataset.h"

#include <math.h>
#include <string.h>

/* The inverse of: make `wider` times as wide and as low, slant, turn by the angle and scale by factor about
 * the image's centre, then shift. slant is the columns that a row is moved further than the one below it. */
static Affine inverse_of(float shift_x, float shift_y, double radians, double factor, float slant,
                         float wider) {
    const float centre = (IMAGE_SIDE - 1) / 2.0f;
    float c = (float)(cos(radians) / factor), s = (float)(sin(radians) / factor);
    float x = centre + shift_x, y = centre + shift_y;
    float xx = (c - slant * s) / wider, xy = (s + slant * c) / wider, yx = -s * wider, yy = c * wider;
    return (Affine){xx, xy, centre - xx * x - xy * y, yx, yy, centre - yx * x - yy * y};
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
static void change_strokes(float change, float *image) {
    enum { SIDE = IMAGE_SIDE + 2 };
    const bool thicker = change > 0;
    const float share = fabsf(change);
    float padded[SIDE][SIDE] = {{0}};
    for (int y = 0; y < IMAGE_SIDE; y++)
        memcpy(padded[y + 1] + 1, image + (ptrdiff_t)y * IMAGE_SIDE, IMAGE_SIDE * sizeof *image);
    for (int y = 0; y < IMAGE_SIDE; y++) {
        const float *above = padded[y] + 1, *row = padded[y + 1] + 1, *below = padded[y + 2] + 1;
        for (int x = 0; x < IMAGE_SIDE; x++) {
            const float near[] = {above[x], below[x], row[x - 1], row[x + 1]};
            float largest = row[x], least = row[x];
            for (int k = 0; k < 4; k++) {
                largest = near[k] > largest ? near[k] : largest;
                least = near[k] < least ? near[k] : least;
            }
            image[y * IMAGE_SIDE + x] = row[x] + share * ((thicker ? largest : least) - row[x]);
        }
    }
}

void augment_image(const Augmentation *augmentation, uint32_t seed, uint32_t epoch, uint64_t sample,
                   const uint8_t *image, float *out) {
    const float shift = augmentation->shift_pixels, degrees = augmentation->rotate_deg,
                zoom = augmentation->zoom, shear = augmentation->shear_deg,
                elastic = augmentation->elastic_pixels, stretch = augmentation->stretch,
                thickness = augmentation->thickness;
    if (shift == 0 && degrees == 0 && zoom == 0 && shear == 0 && elastic == 0 && stretch == 0 &&
        thickness == 0) {
        for (int i = 0; i < IMAGE_PIXELS; i++)
            out[i] = image[i] / 255.0f;
        return;
    }

    float uniform[4], more[4] = {0.5f, 0.5f, 0.5f};
    rng_uniform4((RngKey){seed, RNG_AUGMENT}, epoch, sample, 0, uniform);
    if (shear > 0 || stretch > 0 || thickness > 0)
        rng_uniform4((RngKey){seed, RNG_AUGMENT}, epoch, sample, 1, more);
    Affine source = inverse_of(
        between(-shift, shift, uniform[0]), between(-shift, shift, uniform[1]),
        between(-degrees, degrees, uniform[2]) * (M_PI / 180), between(1 - zoom, 1 + zoom, uniform[3]),
        (float)tan(between(-shear, shear, more[0]) * (M_PI / 180)), factor_between(stretch, more[1]));
    Displacement displacement;
    if (elastic > 0) elastic_draw(elastic, augmentation->elastic_sigma, seed, epoch, sample, &displacement);
    affine_sample(&source, elastic > 0 ? &displacement : NULL, image, out);
    for (int i = 0; i < IMAGE_PIXELS; i++)
        out[i] /= 255.0f;
    if (thickness > 0) change_strokes(between(-thickness, thickness, more[2]), out);
}
