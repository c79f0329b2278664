/* Training images that grow from others. */
#include "core/mem.h"
#include "core/rng.h"
#include "data/grow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SOURCES = 7, GROWN = 40 };

static const Growth some = {5,
                            {.shift_pixels = 1, .rotate_deg = 10, .elastic_pixels = 1, .elastic_sigma = 4}};

/* Crosses of various places and grey. */
static ImageSet make_sources(void) {
    ImageSet set = image_set_new(SOURCES, image_spec_mnist());
    for (int i = 0; i < SOURCES; i++) {
        uint8_t *image = set.images + i * IMAGE_PIXELS;
        for (int at = 6; at < 22; at++)
            image[(10 + i) * IMAGE_SIDE + at] = image[at * IMAGE_SIDE + 12 + i] = (uint8_t)(200 + i);
        set.labels[i] = (uint8_t)(9 - i);
    }
    return set;
}

static ImageSet grow(const Growth *growth, const ImageSet *source, int64_t begin, int64_t end, int threads) {
    ImageSet set = image_set_new(end - begin, source->spec);
    grow_images(growth, source, (Range){begin, end}, threads, &set);
    return set;
}

static int differing(const uint8_t *a, const uint8_t *b) {
    int count = 0;
    for (int p = 0; p < IMAGE_PIXELS; p++)
        count += a[p] != b[p];
    return count;
}

/* The first ones are the originals; the others differ from theirs, and from one another. */
static void test_from_originals(void **state) {
    (void)state;
    ImageSet source = make_sources(), set = grow(&some, &source, 0, GROWN, 1);
    assert_memory_equal(set.images, source.images, SOURCES * IMAGE_PIXELS);
    for (int64_t i = 0; i < GROWN; i++) {
        assert_int_equal(set.labels[i], source.labels[i % SOURCES]);
        if (i < SOURCES) continue;
        assert_true(differing(set.images + i * IMAGE_PIXELS, source.images + i % SOURCES * IMAGE_PIXELS) > 5);
        assert_true(differing(set.images + i * IMAGE_PIXELS, set.images + (i - SOURCES) * IMAGE_PIXELS) > 5);
    }
    image_set_free(&set);
    image_set_free(&source);
}

/* An image is the same wherever a block begins and whoever makes it; another seed makes another. */
static void test_of_seed_and_index_alone(void **state) {
    (void)state;
    ImageSet source = make_sources(), whole = grow(&some, &source, 0, GROWN, 1);
    for (int64_t begin = 0; begin < GROWN; begin += 9) {
        ImageSet part = grow(&some, &source, begin, GROWN, 3);
        assert_memory_equal(part.images, whole.images + begin * IMAGE_PIXELS, (size_t)part.n * IMAGE_PIXELS);
        image_set_free(&part);
    }
    Growth other = some;
    other.seed++;
    ImageSet last = grow(&other, &source, GROWN - 1, GROWN, 1);
    assert_true(differing(last.images, whole.images + (GROWN - 1) * IMAGE_PIXELS) > 5);
    image_set_free(&last);
    image_set_free(&whole);
    image_set_free(&source);
}

/* With nothing to distort, copies; pixels keep their values through the floats. */
static void test_without_distortion(void **state) {
    (void)state;
    const Growth none = {.seed = 1};
    ImageSet source = make_sources(), set = grow(&none, &source, SOURCES, GROWN, 1);
    for (int64_t i = 0; i < set.n; i++)
        assert_memory_equal(set.images + i * IMAGE_PIXELS, source.images + i % SOURCES * IMAGE_PIXELS,
                            IMAGE_PIXELS);
    image_set_free(&set);
    image_set_free(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_from_originals),
                                       cmocka_unit_test(test_of_seed_and_index_alone),
                                       cmocka_unit_test(test_without_distortion)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
