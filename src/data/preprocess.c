#include "data/affine.h"

#include "core/status.h"
#include "data/preprocess.h"

#include <stdbool.h>
#include <string.h>

/* Sums over the ink's pixels, exact: up to 2^20 * 63^2. */
typedef struct {
    int64_t mass, x, y, xy, yy;
} Moments;

static Moments moments_of(ImageSpec spec, const uint8_t *image) {
    Moments m = {0};
    for (int y = 0; y < spec.height; y++)
        for (int x = 0; x < spec.width; x++) {
            int64_t ink = image[y * spec.width + x];
            m.mass += ink;
            m.x += ink * x;
            m.y += ink * y;
            m.xy += ink * x * y;
            m.yy += ink * y * y;
        }
    return m;
}

/* cov(x, y) / var(y): by so much the figure's rows drift sideways; 0 if there is ink in one row only, or
 * none.
 */
static float drift_of(const Moments *m) {
    int64_t covariance = m->mass * m->xy - m->x * m->y, variance = m->mass * m->yy - m->y * m->y;
    return variance ? (float)((double)covariance / (double)variance) : 0;
}

/* Rounded by itself: whether a compiler fuses a product with the sum that it goes into hangs on what else is
 * constant there, and images mustn't. */
static float product(float a, float b) {
    const volatile float rounded = a * b;
    return rounded;
}

static void resample(const Affine *source, ImageSpec spec, uint8_t *image) {
    float resampled[PIXELS_MAX];
    affine_sample(source, NULL, spec, image, resampled);
    for (int i = 0; i < image_spec_pixels(spec); i++)
        image[i] = (uint8_t)(resampled[i] + 0.5f);
}

/* Shears the image horizontally about its centre of mass, after which the drift is 0. */
static void deskew_image(ImageSpec spec, uint8_t *image) {
    const Moments m = moments_of(spec, image);
    const float drift = drift_of(&m);
    if (drift == 0) return;
    const float centre_y = (float)((double)m.y / (double)m.mass);
    resample(&(Affine){.xx = 1, .xy = drift, .x0 = -drift * centre_y, .yy = 1}, spec, image);
}

/* The same, and moves the centre of mass to the image's. */
static void deskew_and_centre_image(ImageSpec spec, uint8_t *image) {
    const Moments m = moments_of(spec, image);
    if (m.mass == 0) return;
    const float drift = drift_of(&m);
    const float middle_x = (float)(spec.width - 1) / 2.0f, middle_y = (float)(spec.height - 1) / 2.0f;
    const float left = (float)((double)m.x / (double)m.mass) - middle_x,
                up = (float)((double)m.y / (double)m.mass) - middle_y;
    resample(&(Affine){.xx = 1, .xy = drift, .x0 = left - product(drift, middle_y), .yy = 1, .y0 = up}, spec,
             image);
}

enum { INK = 32 }; /* pixels below belong to the specks around a figure */

/* Columns that set_width gives a figure: 18 of 28. */
static int width_of_ink(ImageSpec spec) {
    return (spec.width * 18 + 14) / 28;
}

static bool has_ink(ImageSpec spec, const uint8_t *image, int column) {
    for (int y = 0; y < spec.height; y++)
        if (image[y * spec.width + column] >= INK) return true;
    return false;
}

/* Stretches the figure sideways to width_of_ink columns, and moves their middle to the image's. */
static void set_width(ImageSpec spec, uint8_t *image) {
    int first = 0, last = spec.width - 1;
    while (first < last && !has_ink(spec, image, first))
        first++;
    while (last > first && !has_ink(spec, image, last))
        last--;
    if (!has_ink(spec, image, first)) return;
    const float step = (float)(last - first + 1) / (float)width_of_ink(spec),
                middle = (float)(spec.width - 1) / 2.0f;
    resample(&(Affine){.xx = step, .x0 = (float)(first + last) / 2 - product(step, middle), .yy = 1}, spec,
             image);
}

/* Weights 1 2 1 in both directions, rounded; zeros outside. */
static void blur_image(ImageSpec spec, uint8_t *image) {
    enum { SIDE = SIDE_MAX + 2 };
    uint8_t padded[SIDE][SIDE] = {{0}};
    int16_t across[SIDE][SIDE] = {{0}};
    for (int y = 0; y < spec.height; y++)
        memcpy(padded[1 + y] + 1, image + y * spec.width, (size_t)spec.width);
    for (int y = 1; y <= spec.height; y++)
        for (int x = 1; x <= spec.width; x++)
            across[y][x] = (int16_t)(padded[y][x - 1] + 2 * padded[y][x] + padded[y][x + 1]);
    for (int y = 1; y <= spec.height; y++)
        for (int x = 1; x <= spec.width; x++)
            image[(y - 1) * spec.width + x - 1] =
                (uint8_t)((across[y - 1][x] + 2 * across[y][x] + across[y + 1][x] + 8) / 16);
}

static void deskew_and_blur_image(ImageSpec spec, uint8_t *image) {
    deskew_image(spec, image);
    blur_image(spec, image);
}

static void keep_image(ImageSpec spec, uint8_t *image) {
    (void)spec, (void)image;
}

static const struct {
    const char *name;
    void (*apply)(ImageSpec spec, uint8_t *image);
} methods[] = {
#define METHOD(name, apply) {name, apply},
    PREPROCESSES(METHOD)
#undef METHOD
};

void preprocess_images(const char *how, ImageSet *set, int threads) {
    const int64_t pixels = image_spec_pixels(set->spec);
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        if (strcmp(how, methods[m].name)) continue;
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t i = 0; i < set->n; i++)
            methods[m].apply(set->spec, set->images + i * pixels);
        return;
    }
    fatal("there is no preprocessing called %s", how);
}
