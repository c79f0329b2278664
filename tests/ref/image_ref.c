#include "image_ref.h"

#include <math.h>

static double pixel_or_zero(const uint8_t *image, int x, int y) {
    return x >= 0 && x < 28 && y >= 0 && y < 28 ? image[y * 28 + x] : 0;
}

double image_ref_bilinear(const uint8_t *image, double x, double y) {
    int left = (int)floor(x), top = (int)floor(y);
    double u = x - left, v = y - top;
    return (1 - u) * (1 - v) * pixel_or_zero(image, left, top) +
           u * (1 - v) * pixel_or_zero(image, left + 1, top) +
           (1 - u) * v * pixel_or_zero(image, left, top + 1) +
           u * v * pixel_or_zero(image, left + 1, top + 1);
}

ImageRefMoments image_ref_moments(const uint8_t *image) {
    ImageRefMoments m = {0};
    for (int i = 0; i < 784; i++) {
        m.mass += image[i];
        m.mean_x += image[i] * (double)(i % 28);
        m.mean_y += image[i] * (double)(i / 28);
    }
    m.mean_x /= m.mass;
    m.mean_y /= m.mass;
    for (int i = 0; i < 784; i++) {
        double dx = i % 28 - m.mean_x, dy = i / 28 - m.mean_y;
        m.var_y += image[i] * dy * dy / m.mass;
        m.cov_xy += image[i] * dx * dy / m.mass;
    }
    return m;
}

void image_ref_deskew(const uint8_t *image, double *out) {
    ImageRefMoments m = image_ref_moments(image);
    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 28; x++)
            out[y * 28 + x] = image_ref_bilinear(image, x + m.cov_xy / m.var_y * (y - m.mean_y), y);
}
