/* Features of strokes' edges, on real digits and on drawn edges. */
#include "ref/image_ref.h"
#include "ref/ref_digits.h"

#include "core/mem.h"
#include "data/gradient.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DIGITS = 500, DIRECTIONS = GRADIENT_DIRECTIONS };

static const int shapes[][2] = {{28, 28}, {16, 16}, {8, 8}, {64, 64}, {17, 50}, {30, 30}};
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

static uint8_t *features_of(const uint8_t *images, int64_t n) {
    uint8_t *features = mem_copy(images, (size_t)(n * image_spec_pixels(spec)));
    gradient_features(spec, features, n, 2);
    return features;
}

static int feature(const uint8_t *features, int across, int y, int x, int direction) {
    return features[(y * across + x) * DIRECTIONS + (direction + DIRECTIONS) % DIRECTIONS];
}

/* Parts of gradients are whole eighths: features are off by a fraction, and by more only near 0, where a root
 * is steep. */
static void check_against_reference(void) {
    const int pixels = image_spec_pixels(spec);
    uint8_t *features = features_of(digits.images, DIGITS);
    int64_t off = 0;
    for (int64_t i = 0; i < DIGITS; i++) {
        double expected[PIXELS_MAX];
        image_ref_gradient(spec, digits.images + i * pixels, expected);
        for (int f = 0; f < pixels; f++) {
            const double error = fabs(features[i * pixels + f] - expected[f]);
            assert_true(error < (pixels < 784 ? 8 : 3)); /* small images add up fewer gradients */
            off += error > 1;
        }
    }
    assert_true(off < DIGITS * pixels / (pixels < 784 ? 8 : 100));
    mem_free(features);
}

/* Turned by 90 degrees or mirrored, an image has the same features elsewhere, to the last bit. */
static void check_turned_and_mirrored(void) {
    const int pixels = image_spec_pixels(spec);
    const int down = spec.height / 4, across = spec.width / 4;
    for (int64_t i = 0; i < 50; i++) {
        const uint8_t *image = digits.images + i * pixels;
        uint8_t turned[PIXELS_MAX], mirrored[PIXELS_MAX];
        for (int y = 0; y < spec.height; y++)
            for (int x = 0; x < spec.width; x++) {
                turned[x * spec.height + spec.height - 1 - y] = image[y * spec.width + x];
                mirrored[y * spec.width + spec.width - 1 - x] = image[y * spec.width + x];
            }
        uint8_t *plain = features_of(image, 1);
        gradient_features((ImageSpec){spec.width, spec.height, 10, 0, false}, turned, 1, 1);
        gradient_features(spec, mirrored, 1, 1);
        for (int y = 0; y < down; y++)
            for (int x = 0; x < across; x++)
                for (int d = 0; d < DIRECTIONS; d++) {
                    const int f = feature(plain, across, y, x, d);
                    assert_int_equal(feature(turned, down, x, down - 1 - y, d + DIRECTIONS / 4), f);
                    assert_int_equal(feature(mirrored, across, y, across - 1 - x, DIRECTIONS / 2 - d), f);
                }
        mem_free(plain);
    }
}

/* Dark on the left, light on the right: all gradients point along direction 0. */
static void check_edge(void) {
    uint8_t image[PIXELS_MAX] = {0};
    const int down = spec.height / 4, across = spec.width / 4, edge = spec.width / 2;
    for (int y = 0; y < spec.height; y++)
        memset(image + y * spec.width + edge, 200, (size_t)(spec.width - edge));
    gradient_features(spec, image, 1, 1);
    if (down < 3) return; /* the upper and lower edges are near everywhere */
    assert_true(feature(image, across, down / 2, across / 2, 0) >= 230);
    for (int d = 1; d < DIRECTIONS; d++)
        assert_true(feature(image, across, down / 2, across / 2, d) < 60);
}

static void check_blank(void) {
    uint8_t image[PIXELS_MAX] = {0}, blank[PIXELS_MAX] = {0};
    gradient_features(spec, image, 1, 1);
    assert_memory_equal(image, blank, sizeof image);
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
OF_ALL_SHAPES(against_reference)
OF_ALL_SHAPES(turned_and_mirrored)
OF_ALL_SHAPES(edge)
OF_ALL_SHAPES(blank)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_turned_and_mirrored),
        cmocka_unit_test(test_edge),
        cmocka_unit_test(test_blank),
    };
    return cmocka_run_group_tests(tests, read_digits, free_digits);
}
