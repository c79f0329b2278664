/* Features of strokes' edges, on real digits and on drawn edges. */
#include "ref/image_ref.h"
#include "ref/ref_digits.h"

#include "core/mem.h"
#include "data/gradient.h"
#include "store/dataset.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DIGITS = 500, CELLS = GRADIENT_CELLS, DIRECTIONS = GRADIENT_DIRECTIONS };

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

static uint8_t *features_of(const uint8_t *images, int64_t n) {
    uint8_t *features = mem_copy(images, (size_t)n * IMAGE_PIXELS);
    gradient_features(features, n);
    return features;
}

static int feature(const uint8_t *features, int y, int x, int direction) {
    return features[(y * CELLS + x) * DIRECTIONS + (direction + DIRECTIONS) % DIRECTIONS];
}

/* Parts of gradients are whole eighths: features are off by a fraction, and by more only near 0, where a root
 * is steep. */
static void test_against_reference(void **state) {
    (void)state;
    uint8_t *features = features_of(digits.images, DIGITS);
    int64_t off = 0;
    for (int64_t i = 0; i < DIGITS; i++) {
        double expected[IMAGE_PIXELS];
        image_ref_gradient(digits.images + i * IMAGE_PIXELS, expected);
        for (int f = 0; f < IMAGE_PIXELS; f++) {
            const double error = fabs(features[i * IMAGE_PIXELS + f] - expected[f]);
            assert_true(error < 3);
            off += error > 1;
        }
    }
    assert_true(off < DIGITS * IMAGE_PIXELS / 100);
    mem_free(features);
}

/* Turned by 90 degrees or mirrored, an image has the same features elsewhere, to the last bit. */
static void test_turned_and_mirrored(void **state) {
    (void)state;
    for (int64_t i = 0; i < 50; i++) {
        const uint8_t *image = digits.images + i * IMAGE_PIXELS;
        uint8_t turned[IMAGE_PIXELS], mirrored[IMAGE_PIXELS];
        for (int y = 0; y < IMAGE_SIDE; y++)
            for (int x = 0; x < IMAGE_SIDE; x++) {
                turned[x * IMAGE_SIDE + IMAGE_SIDE - 1 - y] = image[y * IMAGE_SIDE + x];
                mirrored[y * IMAGE_SIDE + IMAGE_SIDE - 1 - x] = image[y * IMAGE_SIDE + x];
            }
        uint8_t *plain = features_of(image, 1);
        gradient_features(turned, 1);
        gradient_features(mirrored, 1);
        for (int y = 0; y < CELLS; y++)
            for (int x = 0; x < CELLS; x++)
                for (int d = 0; d < DIRECTIONS; d++) {
                    const int f = feature(plain, y, x, d);
                    assert_int_equal(feature(turned, x, CELLS - 1 - y, d + DIRECTIONS / 4), f);
                    assert_int_equal(feature(mirrored, y, CELLS - 1 - x, DIRECTIONS / 2 - d), f);
                }
        mem_free(plain);
    }
}

/* Dark on the left, light on the right: all gradients point along direction 0. */
static void test_edge(void **state) {
    (void)state;
    uint8_t image[IMAGE_PIXELS] = {0};
    for (int y = 0; y < IMAGE_SIDE; y++)
        memset(image + y * IMAGE_SIDE + 13, 200, IMAGE_SIDE - 13);
    gradient_features(image, 1);
    assert_int_equal(feature(image, 3, 3, 0), 255);
    for (int d = 1; d < DIRECTIONS; d++)
        assert_int_equal(feature(image, 3, 3, d), 0);
}

static void test_blank(void **state) {
    (void)state;
    uint8_t image[IMAGE_PIXELS] = {0}, blank[IMAGE_PIXELS] = {0};
    gradient_features(image, 1);
    assert_memory_equal(image, blank, sizeof image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_turned_and_mirrored),
        cmocka_unit_test(test_edge),
        cmocka_unit_test(test_blank),
    };
    return cmocka_run_group_tests(tests, read_digits, free_digits);
}
