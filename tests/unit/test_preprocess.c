/* Preprocessing, on real digits and on drawn ones. */
#include "ref/image_ref.h"
#include "ref/ref_digits.h"

#include "core/mem.h"
#include "data/preprocess.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DIGITS = 2000 };

static const int shapes[][2] = {{28, 28}, {16, 16}, {40, 21}, {64, 64}, {17, 50}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static ImageSet sets[SHAPES], digits; /* digits: the ones of the shape that is tested */
static ImageSpec spec;

static int read_digits(void **state) {
    (void)state;
    sets[0] = ref_digits("t10k", "0123456789", 0, DIGITS);
    for (int s = 1; s < SHAPES; s++)
        sets[s] = ref_resized(&sets[0], shapes[s][0], shapes[s][1]);
    return sets[0].n == DIGITS ? 0 : -1;
}

static int free_digits(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++)
        image_set_free(&sets[s]);
    return 0;
}

/* Applies it to images of the shape that is tested. */
static void apply(const char *how, uint8_t *images, int64_t n) {
    preprocess_images(how, &(ImageSet){n, images, NULL, spec}, 2);
}

/* A bar 3 pixels wide whose column drifts by slope a row. */
static void draw_bar(double slope, uint8_t *image) {
    memset(image, 0, PIXELS_MAX);
    for (int y = spec.height / 6; y < spec.height * 5 / 6; y++)
        for (int x = 0; x < spec.width; x++) {
            double off = fabs(x - spec.width / 2 - slope * (y - spec.height / 2) * spec.width / spec.height);
            image[y * spec.width + x] = (uint8_t)(255 * fmax(0, fmin(1, 2 - off)));
        }
}

static void check_none_changes_nothing(void) {
    const int pixels = image_spec_pixels(spec);
    uint8_t *images = mem_copy(digits.images, (size_t)(DIGITS * pixels));
    apply("none", images, DIGITS);
    assert_memory_equal(images, digits.images, (size_t)(DIGITS * pixels));
    mem_free(images);
}

static int pixel_or_0(const uint8_t *image, int y, int x) {
    return y < 0 || y >= spec.height || x < 0 || x >= spec.width ? 0 : image[y * spec.width + x];
}

/* The weighted mean around each pixel of what deskew makes. */
static void check_blur(void) {
    const int pixels = image_spec_pixels(spec);
    static const int weights[3] = {1, 2, 1};
    enum { COUNT = 50 };
    uint8_t *deskewed = mem_copy(digits.images, (size_t)(COUNT * pixels)),
            *blurred = mem_copy(deskewed, (size_t)(COUNT * pixels));
    memset(deskewed, 255, (size_t)pixels); /* ink up to the border */
    memset(blurred, 255, (size_t)pixels);
    apply("deskew", deskewed, COUNT);
    apply("deskew-blur", blurred, COUNT);
    for (int i = 0; i < COUNT * pixels; i++) {
        const uint8_t *image = deskewed + i / pixels * pixels;
        int y = i % pixels / spec.width, x = i % pixels % spec.width;
        double sum = 0;
        for (int down = 0; down < 3; down++)
            for (int right = 0; right < 3; right++)
                sum += weights[down] * weights[right] * pixel_or_0(image, y + down - 1, x + right - 1);
        assert_int_equal(blurred[i], (int)floor(sum / 16 + 0.5));
    }
    mem_free(blurred);
    mem_free(deskewed);
}

static void check_upright_stays(void) {
    uint8_t bar[PIXELS_MAX], image[PIXELS_MAX];
    draw_bar(0, bar);
    memcpy(image, bar, sizeof image);
    apply("deskew", image, 1);
    assert_memory_equal(image, bar, sizeof image);
}

static void check_slanted_becomes_upright(void) {
    for (double slope = -0.6; slope <= 0.6; slope += 0.1) {
        uint8_t image[PIXELS_MAX];
        draw_bar(slope, image);
        apply("deskew", image, 1);
        ImageRefMoments m = image_ref_moments(spec, image);
        assert_true(fabs(m.cov_xy / m.var_y) < 0.01);
    }
}

static void check_blank_and_flat_stay(void) {
    uint8_t images[2 * PIXELS_MAX] = {0}, copy[2 * PIXELS_MAX];
    memset(images + image_spec_pixels(spec) + 7 * spec.width + 4, 200, 10); /* ink in one row only */
    memcpy(copy, images, sizeof copy);
    apply("deskew", images, 2);
    assert_memory_equal(images, copy, sizeof copy);
}

static void check_digits_against_reference(void) {
    const int pixels = image_spec_pixels(spec);
    uint8_t *images = mem_copy(digits.images, (size_t)(DIGITS * pixels));
    double expected[PIXELS_MAX], slant = 0, original_slant = 0;
    apply("deskew", images, DIGITS);
    for (int64_t i = 0; i < DIGITS; i++) {
        const uint8_t *original = digits.images + i * pixels, *image = images + i * pixels;
        image_ref_deskew(spec, original, expected);
        for (int p = 0; p < pixels; p++)
            assert_true(fabs(image[p] - expected[p]) < 0.51);
        ImageRefMoments before = image_ref_moments(spec, original), after = image_ref_moments(spec, image);
        original_slant += fabs(before.cov_xy / before.var_y) / DIGITS;
        slant += fabs(after.cov_xy / after.var_y) / DIGITS;
    }
    assert_true(original_slant > 0.1 * spec.width / spec.height); /* so there was something to do */
    assert_true(slant < 0.01);
    mem_free(images);
}

/* Upright like deskew's, with the centre of mass in the middle. */
static void check_centre(void) {
    const int pixels = image_spec_pixels(spec);
    uint8_t *images = mem_copy(digits.images, (size_t)(DIGITS * pixels)), blank[PIXELS_MAX] = {0};
    double off = 0; /* rounding to whole grey values shows more in small images */
    const double wide = (double)spec.width / spec.height,
                 slant_bound = 0.05 * fmax(wide, 1) * fmax(28.0 / spec.height, 1);
    apply("deskew-centre", images, DIGITS);
    for (int64_t i = 0; i < DIGITS; i++) {
        const ImageRefMoments before = image_ref_moments(spec, digits.images + i * pixels),
                              m = image_ref_moments(spec, images + i * pixels);
        assert_true(fabs(m.mean_x - (spec.width - 1) / 2.0) < 0.1 &&
                    fabs(m.mean_y - (spec.height - 1) / 2.0) < 0.1);
        assert_true(fabs(m.cov_xy / m.var_y) < slant_bound);
        off += fabs(before.mean_x - (spec.width - 1) / 2.0) / DIGITS;
    }
    assert_true(off > 0.1); /* so there was something to do */
    apply("deskew-centre", blank, 1);
    for (int p = 0; p < pixels; p++)
        assert_int_equal(blank[p], 0);
    mem_free(images);
}

/* Ink from column `first` to `last` of the rows in the middle half. */
static void draw_block(int first, int last, uint8_t *image) {
    memset(image, 0, PIXELS_MAX);
    for (int y = spec.height / 4; y < spec.height * 3 / 4; y++)
        memset(image + y * spec.width + first, 255, (size_t)(last - first + 1));
}

/* 18 of 28 columns wide, in the middle, as high as before. */
static void check_width(void) {
    const int wide = (int)lround(spec.width * 18 / 28.0);
    const double left = (spec.width - wide) / 2.0, right = left + wide; /* the edges */
    for (int last = 4; last < spec.width - 1; last++) {
        uint8_t image[PIXELS_MAX];
        draw_block(3, last, image);
        image[spec.width - 1] = 31; /* a speck, which is no part of the digit */
        apply("width", image, 1);
        for (int y = 1; y < spec.height; y++) {
            const uint8_t *row = image + y * spec.width;
            const bool ink = y >= spec.height / 4 && y < spec.height * 3 / 4;
            double sum = 0, moment = 0;
            for (int x = 0; x < spec.width; x++) {
                sum += row[x] / 255.0;
                moment += row[x] / 255.0 * (x + 0.5);
            }
            assert_int_equal(row[spec.width / 2], ink ? 255 : 0);
            if (!ink) assert_true(sum == 0);
            /* its width and its middle; a small block's edges are blurred most */
            if (ink && last > 6) assert_true(fabs(sum - wide) < 0.15 * wide);
            if (ink) assert_true(fabs(moment / sum - (left + right) / 2) < 0.1);
        }
    }
    uint8_t blank[PIXELS_MAX] = {0};
    apply("width", blank, 1);
    for (int p = 0; p < image_spec_pixels(spec); p++)
        assert_int_equal(blank[p], 0);
}

#define OF_ALL_SHAPES(what)                                                                                  \
    static void test_##what(void **state) {                                                                  \
        (void)state;                                                                                         \
        for (int s = 0; s < SHAPES; s++) {                                                                   \
            digits = sets[s];                                                                                \
            spec = digits.spec;                                                                              \
            check_##what();                                                                                  \
        }                                                                                                    \
    }
OF_ALL_SHAPES(blur)
OF_ALL_SHAPES(none_changes_nothing)
OF_ALL_SHAPES(upright_stays)
OF_ALL_SHAPES(slanted_becomes_upright)
OF_ALL_SHAPES(blank_and_flat_stay)
OF_ALL_SHAPES(digits_against_reference)
OF_ALL_SHAPES(centre)
OF_ALL_SHAPES(width)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blur),
        cmocka_unit_test(test_none_changes_nothing),
        cmocka_unit_test(test_upright_stays),
        cmocka_unit_test(test_slanted_becomes_upright),
        cmocka_unit_test(test_blank_and_flat_stay),
        cmocka_unit_test(test_digits_against_reference),
        cmocka_unit_test(test_centre),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, read_digits, free_digits);
}
