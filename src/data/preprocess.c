#include "affine.h"

#include "pardigits/images.h"
#include "pardigits/status.h"

#include <math.h>
#include <string.h>

/* Shears the image horizontally about its centre of mass by cov(x, y) / var(y), after which the digit's rows
 * no longer drift sideways: cov(x, y) is 0. The moments are exact integers: sums of up to 2^26 * 27^2. */
static void deskew_image(uint8_t *image) {
    int64_t mass = 0, sum_x = 0, sum_y = 0, sum_xy = 0, sum_yy = 0;
    for (int y = 0; y < IMAGE_SIDE; y++)
        for (int x = 0; x < IMAGE_SIDE; x++) {
            int64_t ink = image[y * IMAGE_SIDE + x];
            mass += ink;
            sum_x += ink * x;
            sum_y += ink * y;
            sum_xy += ink * x * y;
            sum_yy += ink * y * y;
        }
    int64_t covariance = mass * sum_xy - sum_x * sum_y,
            variance = mass * sum_yy - sum_y * sum_y; /* times mass^2 */
    if (covariance == 0 || variance == 0) return;     /* upright, or ink in one row only, or none */

    float shear = (float)((double)covariance / (double)variance);
    float centre_y = (float)((double)sum_y / (double)mass);
    Affine source = {.xx = 1, .xy = shear, .x0 = -shear * centre_y, .yy = 1};
    float sheared[IMAGE_PIXELS];
    affine_sample(&source, NULL, image, sheared);
    for (int i = 0; i < IMAGE_PIXELS; i++)
        image[i] = (uint8_t)(sheared[i] + 0.5f);
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
} methods[] = {{"none", keep_image}, {"deskew", deskew_image}, {"deskew-blur", deskew_and_blur_image}};

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
