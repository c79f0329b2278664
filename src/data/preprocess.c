#include "data/affine.h"

#include "core/status.h"
#include "data/preprocess.h"
#include "store/dataset.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Sums over a digit's pixels, exact: up to 2^26 * 27^2. */
typedef struct {
    int64_t mass, x, y, xy, yy;
} Moments;

static Moments moments_of(const uint8_t *image) {
    Moments m = {0};
    for (int y = 0; y < IMAGE_SIDE; y++)
        for (int x = 0; x < IMAGE_SIDE; x++) {
            int64_t ink = image[y * IMAGE_SIDE + x];
            m.mass += ink;
            m.x += ink * x;
            m.y += ink * y;
            m.xy += ink * x * y;
            m.yy += ink * y * y;
        }
    return m;
}

/* cov(x, y) / var(y): by so much the digit's rows drift sideways; 0 if there is ink in one row only, or none.
 */
static float drift_of(const Moments *m) {
    int64_t covariance = m->mass * m->xy - m->x * m->y, variance = m->mass * m->yy - m->y * m->y;
    return variance ? (float)((double)covariance / (double)variance) : 0;
}

static void resample(const Affine *source, uint8_t *image) {
    float resampled[IMAGE_PIXELS];
    affine_sample(source, NULL, image, resampled);
    for (int i = 0; i < IMAGE_PIXELS; i++)
        image[i] = (uint8_t)(resampled[i] + 0.5f);
}

/* Shears the image horizontally about its centre of mass, after which the drift is 0. */
static void deskew_image(uint8_t *image) {
    const Moments m = moments_of(image);
    const float drift = drift_of(&m);
    if (drift == 0) return;
    const float centre_y = (float)((double)m.y / (double)m.mass);
    resample(&(Affine){.xx = 1, .xy = drift, .x0 = -drift * centre_y, .yy = 1}, image);
}

/* The same, and moves the centre of mass to the image's. */
static void deskew_and_centre_image(uint8_t *image) {
    const Moments m = moments_of(image);
    if (m.mass == 0) return;
    const float drift = drift_of(&m), middle = (IMAGE_SIDE - 1) / 2.0f;
    const float left = (float)((double)m.x / (double)m.mass) - middle,
                up = (float)((double)m.y / (double)m.mass) - middle;
    resample(&(Affine){.xx = 1, .xy = drift, .x0 = left - drift * middle, .yy = 1, .y0 = up}, image);
}

enum {
    INK = 32,   /* pixels below belong to the specks around a digit */
    WIDTH = 18, /* columns that set_width gives a digit */
};

static bool has_ink(const uint8_t *image, int column) {
    for (int y = 0; y < IMAGE_SIDE; y++)
        if (image[y * IMAGE_SIDE + column] >= INK) return true;
    return false;
}

/* Stretches the digit sideways to WIDTH columns, and moves their middle to the image's. */
static void set_width(uint8_t *image) {
    int first = 0, last = IMAGE_SIDE - 1;
    while (first < last && !has_ink(image, first))
        first++;
    while (last > first && !has_ink(image, last))
        last--;
    if (!has_ink(image, first)) return;
    const float step = (float)(last - first + 1) / WIDTH, middle = (IMAGE_SIDE - 1) / 2.0f;
    resample(&(Affine){.xx = step, .x0 = (float)(first + last) / 2 - step * middle, .yy = 1}, image);
}

/* Weights 1 2 1 in both directions, rounded; zeros outside. */
static void blur_image(uint8_t *image) {
    enum { SIDE = IMAGE_SIDE + 2 };
    int padded[SIDE][SIDE] = {{0}}, across[SIDE][SIDE] = {{0}};
    for (int i = 0; i < IMAGE_PIXELS; i++)
        padded[1 + i / IMAGE_SIDE][1 + i % IMAGE_SIDE] = image[i];
    for (int y = 1; y <= IMAGE_SIDE; y++)
        for (int x = 1; x <= IMAGE_SIDE; x++)
            across[y][x] = padded[y][x - 1] + 2 * padded[y][x] + padded[y][x + 1];
    for (int y = 1; y <= IMAGE_SIDE; y++)
        for (int x = 1; x <= IMAGE_SIDE; x++)
            image[(y - 1) * IMAGE_SIDE + x - 1] =
                (uint8_t)((across[y - 1][x] + 2 * across[y][x] + across[y + 1][x] + 8) / 16);
}

static void deskew_and_blur_image(uint8_t *image) {
    deskew_image(image);
    blur_image(image);
}

static void keep_image(uint8_t *image) {
    (void)image;
}

static const struct {
    const char *name;
    void (*apply)(uint8_t *image);
} methods[] = {{"none", keep_image},
               {"deskew", deskew_image},
               {"deskew-blur", deskew_and_blur_image},
               {"deskew-centre", deskew_and_centre_image},
               {"width", set_width}};

void preprocess_images(const char *how, uint8_t *images, int64_t n) {
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        if (strcmp(how, methods[m].name)) continue;
#pragma omp parallel for schedule(static)
        for (int64_t i = 0; i < n; i++)
            methods[m].apply(images + i * IMAGE_PIXELS);
        return;
    }
    fatal("there is no preprocessing called %s", how);
}
