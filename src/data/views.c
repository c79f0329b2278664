#include "data/views.h"

#include "core/mem.h"
#include "data/affine.h"

#include <math.h>

/* A change about the middle: degrees, shear, and factors of width and height. */
typedef struct {
    double turn, shear, wider, higher;
} Change;

static const Change changes[VIEWS] = {
    {10, 0, 1, 1},   {-10, 0, 1, 1},  {0, 0.2, 1, 1},     {0, -0.2, 1, 1},
    {0, 0, 0.85, 1}, {0, 0, 1, 0.85}, {0, 0, 1.12, 1.12}, {0, 0, 0.85, 0.85},
};

/* The inverse map: from a place in the result to one in the image. */
static Affine map_of(const Change *change, ImageSpec spec) {
    const double angle = change->turn * acos(-1) / 180, middle_x = (spec.width - 1) / 2.0,
                 middle_y = (spec.height - 1) / 2.0;
    const double xx = cos(angle) / change->wider, xy = (sin(angle) + change->shear) / change->wider;
    const double yx = -sin(angle) / change->higher, yy = cos(angle) / change->higher;
    return (Affine){.xx = (float)xx,
                    .xy = (float)xy,
                    .x0 = (float)(middle_x - xx * middle_x - xy * middle_y),
                    .yx = (float)yx,
                    .yy = (float)yy,
                    .y0 = (float)(middle_y - yx * middle_x - yy * middle_y)};
}

uint8_t *views_make(const uint8_t *images, int64_t n, ImageSpec spec) {
    const int64_t pixels = image_spec_pixels(spec);
    uint8_t *views = mem_new((size_t)(n * VIEWS), (size_t)pixels);
#pragma omp parallel for
    for (int64_t i = 0; i < n * VIEWS; i++) {
        float view[PIXELS_MAX];
        const Affine map = map_of(&changes[i % VIEWS], spec);
        affine_sample(&map, NULL, spec, images + i / VIEWS * pixels, view);
        for (int64_t p = 0; p < pixels; p++)
            views[i * pixels + p] = (uint8_t)lrintf(view[p]);
    }
    return views;
}
