#include "data/digit_image.h"

#include <math.h>
#include <string.h>

int digit_box(int pixels) {
    return (pixels * 20 + 14) / 28;
}

/* Where a line of `line` pixels starts to be filled so that the mass, at `centre` of the digit's `size`
 * pixels, comes nearest to the middle, pixel 14 of MNIST's 28; the digit stays inside. */
static int place(double centre, int size, int line) {
    int start = (int)lround(line / 2 - centre);
    return L_MAX(0, L_MIN(start, line - size));
}

/* Puts the digit, no larger than the image, into it by its centre of mass, with its strongest pixel at 255.
 */
static void centre_digit(PIX *digit, ImageSpec spec, uint8_t *image) {
    int width = pixGetWidth(digit), height = pixGetHeight(digit);
    double mass = 0, sum_x = 0, sum_y = 0;
    l_uint32 strongest = 1, value;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            pixGetPixel(digit, x, y, &value);
            strongest = L_MAX(strongest, value);
            mass += value;
            sum_x += (double)value * x;
            sum_y += (double)value * y;
        }
    memset(image, 0, (size_t)image_spec_pixels(spec));
    if (mass == 0) return;
    int left = place(sum_x / mass, width, spec.width), top = place(sum_y / mass, height, spec.height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            pixGetPixel(digit, x, y, &value);
            image[(top + y) * spec.width + left + x] = (uint8_t)((value * 255 + strongest / 2) / strongest);
        }
}

void digit_image(PIX *digit, ImageSpec spec, uint8_t *image) {
    const float width = (float)pixGetWidth(digit), height = (float)pixGetHeight(digit);
    const float scale = fminf((float)digit_box(spec.width) / width, (float)digit_box(spec.height) / height);
    PIX *scaled = pixScaleGeneral(digit, fmaxf(scale, 1 / width), fmaxf(scale, 1 / height), 0, 0);
    centre_digit(scaled, spec, image);
    pixDestroy(&scaled);
}
