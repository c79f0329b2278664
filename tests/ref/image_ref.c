#include "ref/image_ref.h"

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

static double pixel(const uint8_t *image, int x, int y) {
    return x < 0 || x > 27 || y < 0 || y > 27 ? 0 : image[y * 28 + x];
}

/* Adds the vector (x, y) to the 16 directions: solves a u + b v = (x, y) for its two neighbours u and v. */
static void divide(double x, double y, double into[16]) {
    const double step = acos(-1) / 8;
    double angle = atan2(y, x) / step;
    if (angle < 0) angle += 16;
    const int first = (int)angle % 16;
    const double ux = cos(first * step), uy = sin(first * step);
    const double vx = cos((first + 1) * step), vy = sin((first + 1) * step);
    const double area = ux * vy - uy * vx;
    into[first] += (x * vy - y * vx) / area;
    into[(first + 1) % 16] += (ux * y - uy * x) / area;
}

/* A Gaussian of deviation 1.8, in 64ths. */
static double cell_weight(double distance) {
    return floor(64 * exp(-distance * distance / (2 * 1.8 * 1.8)) + 0.5) / 64;
}

void image_ref_gradient(const uint8_t *image, double *out) {
    double largest = 0;
    for (int i = 0; i < 784; i++)
        out[i] = 0;
    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 28; x++) {
            double right = 0, down = 0, parts[16] = {0};
            for (int k = -1; k <= 1; k++) {
                right += (k ? 1 : 2) * (pixel(image, x + 1, y + k) - pixel(image, x - 1, y + k));
                down += (k ? 1 : 2) * (pixel(image, x + k, y + 1) - pixel(image, x + k, y - 1));
            }
            divide(right, down, parts);
            for (int cell = 0; cell < 49; cell++) {
                const double weight =
                    cell_weight(x - (3.5 * (cell % 7) + 3)) * cell_weight(y - (3.5 * (cell / 7) + 3));
                for (int d = 0; d < 16; d++)
                    out[cell * 16 + d] += weight * parts[d];
            }
        }
    for (int i = 0; i < 784; i++)
        largest = fmax(largest, out[i]);
    for (int i = 0; i < 784; i++)
        out[i] = largest > 0 ? 255 * sqrt(fmax(out[i], 0) / largest) : 0;
}
