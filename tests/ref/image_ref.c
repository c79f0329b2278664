#include "ref/image_ref.h"

#include <math.h>

static double pixel_or_zero(ImageSpec spec, const uint8_t *image, int x, int y) {
    return x >= 0 && x < spec.width && y >= 0 && y < spec.height ? image[y * spec.width + x] : 0;
}

double image_ref_bilinear(ImageSpec spec, const uint8_t *image, double x, double y) {
    int left = (int)floor(x), top = (int)floor(y);
    double u = x - left, v = y - top;
    return (1 - u) * (1 - v) * pixel_or_zero(spec, image, left, top) +
           u * (1 - v) * pixel_or_zero(spec, image, left + 1, top) +
           (1 - u) * v * pixel_or_zero(spec, image, left, top + 1) +
           u * v * pixel_or_zero(spec, image, left + 1, top + 1);
}

ImageRefMoments image_ref_moments(ImageSpec spec, const uint8_t *image) {
    ImageRefMoments m = {0};
    for (int i = 0; i < image_spec_pixels(spec); i++) {
        m.mass += image[i];
        m.mean_x += image[i] * (double)(i % spec.width);
        m.mean_y += image[i] * (double)(i / spec.width);
    }
    m.mean_x /= m.mass;
    m.mean_y /= m.mass;
    for (int i = 0; i < image_spec_pixels(spec); i++) {
        double dx = i % spec.width - m.mean_x, dy = i / spec.width - m.mean_y;
        m.var_y += image[i] * dy * dy / m.mass;
        m.cov_xy += image[i] * dx * dy / m.mass;
    }
    return m;
}

void image_ref_deskew(ImageSpec spec, const uint8_t *image, double *out) {
    ImageRefMoments m = image_ref_moments(spec, image);
    for (int y = 0; y < spec.height; y++)
        for (int x = 0; x < spec.width; x++)
            out[y * spec.width + x] =
                image_ref_bilinear(spec, image, x + m.cov_xy / m.var_y * (y - m.mean_y), y);
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

/* A Gaussian of deviation 1.8, in 64ths, of the distance in whole half pixels from one of side / 4
 * centres, 3.5 pixels apart and as far from both edges. */
static double cell_weight(int at, int cell, int side) {
    const double centre = (side - 1) / 2.0 + (cell - (side / 4 - 1) / 2.0) * 3.5;
    const double distance = floor(2 * fabs(at - centre)) / 2;
    return floor(64 * exp(-distance * distance / (2 * 1.8 * 1.8)) + 0.5) / 64;
}

void image_ref_gradient(ImageSpec spec, const uint8_t *image, double *out) {
    const int rows = spec.height / 4, columns = spec.width / 4;
    double largest = 0;
    for (int i = 0; i < image_spec_pixels(spec); i++)
        out[i] = 0;
    for (int y = 0; y < spec.height; y++)
        for (int x = 0; x < spec.width; x++) {
            double right = 0, down = 0, parts[16] = {0};
            for (int k = -1; k <= 1; k++) {
                right += (k ? 1 : 2) * (pixel_or_zero(spec, image, x + 1, y + k) -
                                        pixel_or_zero(spec, image, x - 1, y + k));
                down += (k ? 1 : 2) *
                        (pixel_or_zero(spec, image, x + k, y + 1) - pixel_or_zero(spec, image, x + k, y - 1));
            }
            divide(right, down, parts);
            for (int cell = 0; cell < rows * columns; cell++) {
                const double weight =
                    cell_weight(x, cell % columns, spec.width) * cell_weight(y, cell / columns, spec.height);
                for (int d = 0; d < 16; d++)
                    out[cell * 16 + d] += weight * parts[d];
            }
        }
    for (int i = 0; i < image_spec_pixels(spec); i++)
        largest = fmax(largest, out[i]);
    for (int i = 0; i < image_spec_pixels(spec); i++)
        out[i] = largest > 0 ? 255 * sqrt(fmax(out[i], 0) / largest) : 0;
}
