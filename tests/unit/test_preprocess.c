/* Preprocessing, on real digits and on drawn ones. */
#include "ref/image_ref.h"
#include "ref/ref_digits.h"

#include "core/mem.h"
#include "data/preprocess.h"
#include "store/dataset.h"

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

static ImageSet digits;

static int read_digits(void **state) {
    (void)state;
    digits = ref_digits("t10k", "0123456789", 0, DIGITS);
    return digits.n == DIGITS ? 0 : -1;
}

static int free_digits(void **state) {
    (void)state;
    image_set_free(&digits);
    return 0;
}

/* A bar 3 pixels wide whose column drifts by slope a row. */
static void draw_bar(double slope, uint8_t *image) {
    memset(image, 0, IMAGE_PIXELS);
    for (int y = 5; y < 24; y++)
        for (int x = 0; x < IMAGE_SIDE; x++) {
            double off = fabs(x - 14 - slope * (y - 14));
            image[y * IMAGE_SIDE + x] = (uint8_t)(255 * fmax(0, fmin(1, 2 - off)));
        }
}

static void test_none_changes_nothing(void **state) {
    (void)state;
    uint8_t *images = mem_copy(digits.images, DIGITS * IMAGE_PIXELS);
    preprocess_images("none", images, DIGITS);
    assert_memory_equal(images, digits.images, DIGITS * IMAGE_PIXELS);
    mem_free(images);
}

static int pixel_or_0(const uint8_t *image, int y, int x) {
    return y < 0 || y >= IMAGE_SIDE || x < 0 || x >= IMAGE_SIDE ? 0 : image[y * IMAGE_SIDE + x];
}

/* The weighted mean around each pixel of what deskew makes. */
static void test_blur(void **state) {
    (void)state;
    static const int weights[3] = {1, 2, 1};
    enum { COUNT = 50 };
    uint8_t *deskewed = mem_copy(digits.images, COUNT * IMAGE_PIXELS),
            *blurred = mem_copy(deskewed, COUNT * IMAGE_PIXELS);
    memset(deskewed, 255, IMAGE_PIXELS); /* ink up to the border */
    memset(blurred, 255, IMAGE_PIXELS);
    preprocess_images("deskew", deskewed, COUNT);
    preprocess_images("deskew-blur", blurred, COUNT);
    for (int i = 0; i < COUNT * IMAGE_PIXELS; i++) {
        const uint8_t *image = deskewed + i / IMAGE_PIXELS * IMAGE_PIXELS;
        int y = i % IMAGE_PIXELS / IMAGE_SIDE, x = i % IMAGE_SIDE;
        double sum = 0;
        for (int down = 0; down < 3; down++)
            for (int right = 0; right < 3; right++)
                sum += weights[down] * weights[right] * pixel_or_0(image, y + down - 1, x + right - 1);
        assert_int_equal(blurred[i], (int)floor(sum / 16 + 0.5));
    }
    mem_free(blurred);
    mem_free(deskewed);
}

static void test_upright_stays(void **state) {
    (void)state;
    uint8_t bar[IMAGE_PIXELS], image[IMAGE_PIXELS];
    draw_bar(0, bar);
    memcpy(image, bar, sizeof image);
    preprocess_images("deskew", image, 1);
    assert_memory_equal(image, bar, sizeof image);
}

static void test_slanted_becomes_upright(void **state) {
    (void)state;
    for (double slope = -0.6; slope <= 0.6; slope += 0.1) {
        uint8_t image[IMAGE_PIXELS];
        draw_bar(slope, image);
        preprocess_images("deskew", image, 1);
        ImageRefMoments m = image_ref_moments(image);
        assert_true(fabs(m.cov_xy / m.var_y) < 0.01);
    }
}

static void test_blank_and_flat_stay(void **state) {
    (void)state;
    uint8_t images[2 * IMAGE_PIXELS] = {0}, copy[2 * IMAGE_PIXELS];
    memset(images + IMAGE_PIXELS + 13 * IMAGE_SIDE + 4, 200, 15); /* ink in one row only */
    memcpy(copy, images, sizeof copy);
    preprocess_images("deskew", images, 2);
    assert_memory_equal(images, copy, sizeof copy);
}

static void test_digits_against_reference(void **state) {
    (void)state;
    uint8_t *images = mem_copy(digits.images, DIGITS * IMAGE_PIXELS);
    double expected[IMAGE_PIXELS], slant = 0, original_slant = 0;
    preprocess_images("deskew", images, DIGITS);
    for (int64_t i = 0; i < DIGITS; i++) {
        const uint8_t *original = digits.images + i * IMAGE_PIXELS, *image = images + i * IMAGE_PIXELS;
        image_ref_deskew(original, expected);
        for (int p = 0; p < IMAGE_PIXELS; p++)
            assert_true(fabs(image[p] - expected[p]) < 0.51);
        ImageRefMoments before = image_ref_moments(original), after = image_ref_moments(image);
        original_slant += fabs(before.cov_xy / before.var_y) / DIGITS;
        slant += fabs(after.cov_xy / after.var_y) / DIGITS;
    }
    assert_true(original_slant > 0.1); /* so there was something to do */
    assert_true(slant < 0.01);
    mem_free(images);
}

/* Upright like deskew's, with the centre of mass in the middle. */
static void test_centre(void **state) {
    (void)state;
    uint8_t *images = mem_copy(digits.images, DIGITS * IMAGE_PIXELS), blank[IMAGE_PIXELS] = {0};
    double off = 0;
    preprocess_images("deskew-centre", images, DIGITS);
    for (int64_t i = 0; i < DIGITS; i++) {
        const ImageRefMoments before = image_ref_moments(digits.images + i * IMAGE_PIXELS),
                              m = image_ref_moments(images + i * IMAGE_PIXELS);
        assert_true(fabs(m.mean_x - 13.5) < 0.05 && fabs(m.mean_y - 13.5) < 0.05);
        assert_true(fabs(m.cov_xy / m.var_y) < 0.05);
        off += fabs(before.mean_x - 13.5) / DIGITS;
    }
    assert_true(off > 0.1); /* so there was something to do */
    preprocess_images("deskew-centre", blank, 1);
    for (int p = 0; p < IMAGE_PIXELS; p++)
        assert_int_equal(blank[p], 0);
    mem_free(images);
}

/* Ink from column `first` to `last` of rows 5 to 20. */
static void draw_block(int first, int last, uint8_t *image) {
    memset(image, 0, IMAGE_PIXELS);
    for (int y = 5; y <= 20; y++)
        memset(image + y * IMAGE_SIDE + first, 255, (size_t)(last - first + 1));
}

/* 18 columns wide, in the middle, as high as before. */
static void test_width(void **state) {
    (void)state;
    enum { WIDTH = 18, LEFT = (IMAGE_SIDE - WIDTH) / 2, RIGHT = LEFT + WIDTH - 1 };
    for (int last = 4; last < 27; last++) { /* 2 to 24 columns */
        uint8_t image[IMAGE_PIXELS];
        draw_block(3, last, image);
        image[IMAGE_SIDE - 1] = 31; /* a speck, which is no part of the digit */
        preprocess_images("width", image, 1);
        for (int y = 1; y < IMAGE_SIDE; y++) {
            const uint8_t *row = image + y * IMAGE_SIDE;
            const bool ink = y >= 5 && y <= 20;
            assert_int_equal(row[IMAGE_SIDE / 2], ink ? 255 : 0);
            /* an edge is where half of the ink is */
            assert_true(ink ? row[LEFT] >= 127 && row[RIGHT] >= 127 : row[LEFT] == 0 && row[RIGHT] == 0);
            assert_true(row[LEFT - 1] <= 128 && row[RIGHT + 1] <= 128);
            assert_true(abs(row[LEFT] - row[RIGHT]) <= 1);
        }
    }
    uint8_t blank[IMAGE_PIXELS] = {0};
    preprocess_images("width", blank, 1);
    for (int p = 0; p < IMAGE_PIXELS; p++)
        assert_int_equal(blank[p], 0);
}

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
