/* Augmentation, and the sampling under it. */
#include "data/affine.h"
#include "ref/image_ref.h"

#include "core/rng.h"
#include "data/augment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Pixels of every value, up to the borders. */
static void make_noise(ImageSpec spec, uint32_t sample, uint8_t *image) {
    memset(image, 0, PIXELS_MAX);
    uint32_t bits[4];
    for (int i = 0; i < image_spec_pixels(spec); i++) {
        if (i % 16 == 0) rng_u32x4((RngKey){5, RNG_TEST}, 0, sample, (uint32_t)i, bits);
        image[i] = (uint8_t)(bits[i / 4 % 4] >> (8 * (i % 4)));
    }
}

static void check_nothing_is_identity(ImageSpec spec) {
    uint8_t image[PIXELS_MAX];
    float out[PIXELS_MAX];
    const Augmentation none = {0};
    make_noise(spec, 1, image);
    augment_image(&none, spec, (AugmentKey){3, 4, 5}, image, out);
    for (int i = 0; i < image_spec_pixels(spec); i++)
        assert_true(out[i] == image[i] / 255.0f);
}

static void check_depends_on_its_key_alone(ImageSpec spec) {
    const Augmentation some = {2, 15, 0.1f, 10, 1, 4, 0.2f, 0.5f};
    uint8_t image[PIXELS_MAX];
    float first[PIXELS_MAX], again[PIXELS_MAX + 3], other[PIXELS_MAX];
    make_noise(spec, 2, image);
    augment_image(&some, spec, (AugmentKey){1, 2, 3}, image, first);
    augment_image(&some, spec, (AugmentKey){9, 9, 9}, image, other);
    for (int offset = 0; offset < 4; offset++) { /* of the result in memory */
        augment_image(&some, spec, (AugmentKey){1, 2, 3}, image, again + offset);
        assert_memory_equal(first, again + offset, (size_t)image_spec_pixels(spec) * sizeof *first);
    }
    const struct {
        uint32_t seed, epoch;
        uint64_t sample;
    } keys[] = {{2, 2, 3}, {1, 3, 3}, {1, 2, 4}, {1, 2, 3 + (1ull << 32)}};
    for (int i = 0; i < 4; i++) {
        augment_image(&some, spec, (AugmentKey){keys[i].seed, keys[i].epoch, keys[i].sample}, image, other);
        assert_memory_not_equal(first, other, (size_t)image_spec_pixels(spec) * sizeof *first);
    }
}

static void check_whole_shift_moves_exactly(ImageSpec spec) {
    uint8_t image[PIXELS_MAX];
    float out[PIXELS_MAX];
    make_noise(spec, 3, image);
    for (int dy = -30; dy <= 30; dy += 3)
        for (int dx = -30; dx <= 30; dx++) {
            Affine source = {.xx = 1, .x0 = (float)-dx, .yy = 1, .y0 = (float)-dy};
            affine_sample(&source, NULL, spec, image, out);
            for (int y = 0; y < spec.height; y++)
                for (int x = 0; x < spec.width; x++)
                    assert_true(out[y * spec.width + x] ==
                                (float)image_ref_bilinear(spec, image, x - dx, y - dy));
        }
}

static void check_sampling_against_reference(ImageSpec spec) {
    uint8_t image[PIXELS_MAX];
    float out[PIXELS_MAX];
    for (uint32_t t = 0; t < 200; t++) {
        float r[8];
        rng_uniform4((RngKey){6, RNG_TEST}, 0, t, 0, r);
        rng_uniform4((RngKey){6, RNG_TEST}, 0, t, 1, r + 4);
        Affine s = {r[0] * 4 - 2, r[1] * 4 - 2, r[2] * 60 - 30, r[3] * 4 - 2, r[4] * 4 - 2, r[5] * 60 - 30};
        make_noise(spec, t, image);
        affine_sample(&s, NULL, spec, image, out);
        for (int y = 0; y < spec.height; y++)
            for (int x = 0; x < spec.width; x++) {
                double expected = image_ref_bilinear(spec, image, (double)s.xx * x + (double)s.xy * y + s.x0,
                                                     (double)s.yx * x + (double)s.yy * y + s.y0);
                assert_true(fabs(out[y * spec.width + x] - expected) < 0.02);
            }
    }
}

/* A cubic B-spline at a distance in lattice steps. */
static double spline(double d) {
    d = fabs(d);
    return d < 1 ? 2.0 / 3 - d * d + d * d * d / 2 : d < 2 ? pow(2 - d, 3) / 6 : 0;
}

/* The elastic displacement of pixel (x, y), summed over all lattice points; lattice point (0, 0) is one step
 * outside of the image. */
static void expected_displacement(ImageSpec spec, double amplitude, double sigma, uint64_t sample, int x,
                                  int y, double *dx, double *dy) {
    double spacing = sqrt(3) * sigma, unit = amplitude * sqrt(3) / 32768 / (151.0 / 315);
    int across = (int)((spec.width - 1) / spacing) + 4, down = (int)((spec.height - 1) / spacing) + 4;
    *dx = *dy = 0;
    for (int i = 0; i < down * across; i++) {
        uint32_t bits[4];
        rng_u32x4((RngKey){1, RNG_AUGMENT}, 2, sample, (uint32_t)(16 + i / 4), bits);
        double weight =
            unit * spline(x / spacing - (i % across - 1)) * spline(y / spacing - (i / across - 1));
        *dx += weight * (int16_t)(uint16_t)bits[i % 4];
        *dy += weight * (int16_t)(uint16_t)(bits[i % 4] >> 16);
    }
}

static void check_elastic_against_reference(ImageSpec spec) {
    const float sigmas[] = {2, 2.5f, 4, 5.196f, 8, 15.7f, 28};
    Displacement got;
    for (uint64_t sample = 0; sample < 7; sample++) {
        elastic_draw(1.5f, sigmas[sample], spec, (AugmentKey){1, 2, sample}, &got);
        for (int i = 0; i < image_spec_pixels(spec); i++) {
            double dx, dy;
            expected_displacement(spec, 1.5, (double)sigmas[sample], sample, i % spec.width, i / spec.width,
                                  &dx, &dy);
            assert_true(fabs((double)got.x[i] - dx) < 1e-4 && fabs((double)got.y[i] - dy) < 1e-4);
        }
    }
}

/* Over many images: no mean, the amplitude asked for, x and y independent, and pixels d apart correlate as
 * noise smoothed by a Gaussian does: exp(-d^2 / (4 sigma^2)). */
static void check_elastic_moments(ImageSpec spec) {
    enum { SAMPLES = 3000, APART = 6 };
    const double amplitude = 2, sigma = 4;
    double sum = 0, squares = 0, across = 0, lagged = 0;
    int64_t pairs = 0;
    Displacement field;
    for (uint64_t sample = 0; sample < SAMPLES; sample++) {
        elastic_draw((float)amplitude, (float)sigma, spec, (AugmentKey){3, 4, sample}, &field);
        for (int i = 0; i < image_spec_pixels(spec); i++) {
            double x = (double)field.x[i], y = (double)field.y[i];
            sum += x + y;
            squares += x * x + y * y;
            across += x * y;
            if (i % spec.width >= IMAGE_SIDE - APART) continue;
            lagged += x * (double)field.x[i + APART];
            pairs++;
        }
    }
    const double n = (double)SAMPLES * image_spec_pixels(spec), variance = squares / (2 * n);
    assert_true(fabs(sum / n) < 0.1);
    assert_true(fabs(sqrt(variance) / amplitude - 1) < 0.03);
    assert_true(fabs(across / n) < 0.05 * variance);
    double correlation = lagged / (double)pairs / variance;
    assert_true(fabs(correlation - exp(-APART * APART / (4 * sigma * sigma))) < 0.05);
}

/* The same random numbers as augment_image draws must give the same change, written out anew. */
static void check_follows_its_formula(ImageSpec spec) {
    const Augmentation some = {3, 30, 0.2f, 20, 1.2f, 4, 0.3f, 0};
    const double centre_x = (spec.width - 1) / 2.0, centre_y = (spec.height - 1) / 2.0;
    uint8_t image[PIXELS_MAX];
    float out[PIXELS_MAX], u[4];
    make_noise(spec, 4, image);
    for (uint64_t sample = 0; sample < 100; sample++) {
        augment_image(&some, spec, (AugmentKey){1, 2, sample}, image, out);
        rng_uniform4((RngKey){1, RNG_AUGMENT}, 2, sample, 0, u);
        double shift_x = 6 * u[0] - 3, shift_y = 6 * u[1] - 3;
        double angle = (60 * u[2] - 30) * M_PI / 180, factor = 0.8 + 0.4 * u[3];
        rng_uniform4((RngKey){1, RNG_AUGMENT}, 2, sample, 1, u);
        double slant = tan((40 * (double)u[0] - 20) * M_PI / 180), stretch = 0.6 * (double)u[1] - 0.3;
        double wider = stretch < 0 ? 1 / (1 - stretch) : 1 + stretch;
        for (int i = 0; i < image_spec_pixels(spec); i++) {
            double x = i % spec.width - centre_x - shift_x, y = i / spec.width - centre_y - shift_y;
            double upright_x = (cos(angle) * x + sin(angle) * y) / factor;
            double from_y = (-sin(angle) * x + cos(angle) * y) / factor;
            double from_x = (upright_x + slant * from_y) / wider, dx, dy;
            from_y *= wider;
            expected_displacement(spec, 1.2f, 4, sample, i % spec.width, i / spec.width, &dx, &dy);
            double expected =
                image_ref_bilinear(spec, image, centre_x + from_x + dx, centre_y + from_y + dy) / 255;
            assert_true(fabs(out[i] - expected) < 1e-4);
        }
    }
}

/* Thicker where the random number is above 1/2, thinner below. */
static void check_thickness(ImageSpec spec) {
    const Augmentation strokes = {.thickness = 0.8f};
    const int next_x[] = {0, 0, 0, -1, 1}, next_y[] = {0, -1, 1, 0, 0};
    uint8_t image[PIXELS_MAX];
    float out[PIXELS_MAX], u[4];
    make_noise(spec, 8, image);
    for (uint64_t sample = 0; sample < 20; sample++) {
        augment_image(&strokes, spec, (AugmentKey){1, 2, sample}, image, out);
        rng_uniform4((RngKey){1, RNG_AUGMENT}, 2, sample, 1, u);
        double change = 1.6 * (double)u[2] - 0.8;
        for (int i = 0; i < image_spec_pixels(spec); i++) {
            double extreme = image[i];
            for (int k = 0; k < 5; k++) {
                double near =
                    image_ref_bilinear(spec, image, i % spec.width + next_x[k], i / spec.width + next_y[k]);
                extreme = change > 0 ? fmax(extreme, near) : fmin(extreme, near);
            }
            double expected = (image[i] + fabs(change) * (extreme - image[i])) / 255;
            assert_true(fabs(out[i] - expected) < 1e-5);
        }
    }
}

static void check_quarter_turn(ImageSpec spec) {
    uint8_t image[PIXELS_MAX];
    float out[PIXELS_MAX];
    make_noise(spec, 7, image);
    Affine quarter = {.xy = 1, .yx = -1, .y0 = (float)spec.height - 1};
    affine_sample(&quarter, NULL, spec, image, out);
    for (int y = 0; y < spec.height; y++)
        for (int x = 0; x < spec.width; x++)
            if (y < spec.width)
                assert_true(out[y * spec.width + x] ==
                            (x < spec.height ? image[(spec.height - 1 - x) * spec.width + y] : 0));
}

static void check_stays_in_bounds(ImageSpec spec) {
    const Augmentation kinds[] = {{8, 90, 0.5f, 60, 8, 2, 1, 1},
                                  {.shift_pixels = 0.5f},
                                  {.rotate_deg = 10, .shear_deg = 5},
                                  {.elastic_pixels = 3, .elastic_sigma = 28}};
    uint8_t image[PIXELS_MAX];
    float out[PIXELS_MAX];
    for (uint32_t sample = 0; sample < 2000; sample++) {
        if (sample % 2)
            memset(image, 255, sizeof image);
        else
            make_noise(spec, sample, image);
        augment_image(&kinds[sample / 2 % 4], spec, (AugmentKey){1, 0, sample}, image, out);
        for (int i = 0; i < image_spec_pixels(spec); i++)
            assert_true(out[i] >= 0 && out[i] <= 1); /* false for NaN too */
    }
}

static const ImageSpec shapes[] = {{28, 28, 10, 0, false},
                                   {16, 16, 10, 0, false},
                                   {9, 64, 2, 0, false},
                                   {64, 64, 2, 0, false},
                                   {33, 20, 2, 0, false}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

#define OF_ALL_SHAPES(what)                                                                                  \
    static void test_##what(void **state) {                                                                  \
        (void)state;                                                                                         \
        for (int s = 0; s < SHAPES; s++)                                                                     \
            check_##what(shapes[s]);                                                                         \
    }
OF_ALL_SHAPES(nothing_is_identity)
OF_ALL_SHAPES(depends_on_its_key_alone)
OF_ALL_SHAPES(whole_shift_moves_exactly)
OF_ALL_SHAPES(sampling_against_reference)
OF_ALL_SHAPES(follows_its_formula)
OF_ALL_SHAPES(quarter_turn)
OF_ALL_SHAPES(elastic_against_reference)
OF_ALL_SHAPES(thickness)

static void test_stays_in_bounds(void **state) {
    (void)state;
    check_stays_in_bounds(shapes[0]);
    check_stays_in_bounds(shapes[4]);
}

static void test_elastic_moments(void **state) {
    (void)state;
    check_elastic_moments(shapes[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_identity),       cmocka_unit_test(test_depends_on_its_key_alone),
        cmocka_unit_test(test_whole_shift_moves_exactly), cmocka_unit_test(test_sampling_against_reference),
        cmocka_unit_test(test_follows_its_formula),       cmocka_unit_test(test_quarter_turn),
        cmocka_unit_test(test_stays_in_bounds),           cmocka_unit_test(test_elastic_against_reference),
        cmocka_unit_test(test_elastic_moments),           cmocka_unit_test(test_thickness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
