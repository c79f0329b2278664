/* The search that passes over most rows finds what comparing everything finds, whatever the images are. */
#include "core/mem.h"
#include "core/rng.h"
#include "data/idx.h"
#include "knn/knn.h"
#include "store/dataset.h"

#include "knn/pruned.h"
#include "ref/knn_ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const uint8_t *images, int64_t rows, const uint8_t *queries, int64_t n, int columns,
                  int64_t k) {
    enum { FIRST = 1000 };
    const int64_t kept = k < rows ? k : rows;
    PixRows reference = pix_rows_new(images, rows, columns), packed = pix_rows_new(queries, n, columns);
    Neighbour *expected = mem_new((size_t)(n * kept), sizeof *expected);
    Neighbour *found = mem_new((size_t)(n * kept), sizeof *found);
    knn_search(&reference, FIRST, &packed, k, 2, NULL, expected);
    KnnIndex *index = pruned_index_create(images, rows, columns, 2);
    for (int threads = 1; threads <= 3; threads += 2) {
        memset(found, 0xff, (size_t)(n * kept) * sizeof *found);
        pruned_search(index, FIRST, queries, n, k, threads, NULL, found);
        assert_memory_equal(found, expected, (size_t)(n * kept) * sizeof *found);
    }
    pruned_index_free(&index);
    assert_null(index);
    mem_free(found);
    mem_free(expected);
    pix_rows_free(&packed);
    pix_rows_free(&reference);
}

/* Values up to `most`, each row drawn by itself. */
static uint8_t *noise(int64_t rows, int columns, uint32_t most, uint32_t seed) {
    uint8_t *images = mem_new((size_t)(rows * columns), 1);
    for (int64_t i = 0; i < rows * columns; i++) {
        uint32_t bits[4];
        rng_u32x4((RngKey){seed, RNG_TEST}, 0, (uint64_t)i, 0, bits);
        images[i] = (uint8_t)(bits[0] % (most + 1));
    }
    return images;
}

static void ties_and_duplicates(void **state) {
    (void)state;
    const int64_t counts[] = {1, 5, 127, 128, 129, 513, 1100, 1500}, ks[] = {1, 3, 50, 600};
    const int columns[] = {1, 9, 63, 64, 96, 200};
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        uint8_t *queries = ref_tied_images(20, columns[c], 2);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            uint8_t *images = ref_tied_images(counts[i], columns[c], 1);
            for (size_t j = 0; j < sizeof ks / sizeof *ks; j++)
                check(images, counts[i], queries, 20, columns[c], ks[j]);
            mem_free(images);
        }
        mem_free(queries);
    }
}

static void noise_without_structure(void **state) {
    (void)state;
    for (uint32_t most = 1; most < 256; most = most * 4 + 3) {
        uint8_t *images = noise(2000, 300, most, 1), *queries = noise(50, 300, most, 2);
        check(images, 2000, queries, 50, 300, 5);
        mem_free(queries);
        mem_free(images);
    }
}

static void constant_images_and_far_outliers(void **state) {
    (void)state;
    enum { ROWS = 1000, COLUMNS = 784, QUERIES = 30 };
    uint8_t *images = mem_new(ROWS, COLUMNS), *queries = mem_new(QUERIES, COLUMNS);
    for (int q = 0; q < QUERIES; q++)
        memset(queries + q * COLUMNS, q * 255 / (QUERIES - 1), COLUMNS);
    check(images, ROWS, queries, QUERIES, COLUMNS, 7); /* all zeros */
    for (int i = 0; i < ROWS; i++)
        memset(images + i * COLUMNS, i % 256, COLUMNS);
    check(images, ROWS, queries, QUERIES, COLUMNS, 7);
    memset(images, 0, (size_t)ROWS * COLUMNS); /* one image far away from nothing else */
    memset(images + 999 * COLUMNS, 255, COLUMNS);
    images[500 * COLUMNS] = 1;
    check(images, ROWS, queries, QUERIES, COLUMNS, 3);
    mem_free(queries);
    mem_free(images);
}

/* The nearest differ by one level of one pixel. */
static void neighbours_that_hardly_differ(void **state) {
    (void)state;
    enum { ROWS = 3000, COLUMNS = 784, QUERIES = 20 };
    uint8_t *base = noise(1, COLUMNS, 200, 3), *images = mem_new(ROWS, COLUMNS);
    for (int i = 0; i < ROWS; i++) {
        memcpy(images + i * COLUMNS, base, COLUMNS);
        images[i * COLUMNS + i * 17 % COLUMNS] = (uint8_t)(base[i * 17 % COLUMNS] + i % 5);
        images[i * COLUMNS + i * 5 % COLUMNS] ^= (uint8_t)(i % 3);
    }
    check(images, ROWS, images + 7 * COLUMNS, QUERIES, COLUMNS, 9);
    mem_free(images);
    mem_free(base);
}

/* Few bytes hold these: long rows that are far from each other. */
static void the_longest_rows(void **state) {
    (void)state;
    enum { ROWS = 300, QUERIES = 5 };
    uint8_t *images = noise(ROWS, PRUNED_MAX_COLUMNS, 255, 5),
            *queries = noise(QUERIES, PRUNED_MAX_COLUMNS, 255, 6);
    for (int i = 0; i < ROWS; i += 3)
        memset(images + (int64_t)i * PRUNED_MAX_COLUMNS, i % 2 * 255, PRUNED_MAX_COLUMNS);
    check(images, ROWS, queries, QUERIES, PRUNED_MAX_COLUMNS, 4);
    mem_free(queries);
    mem_free(images);
}

static void real_digits(void **state) {
    (void)state;
    const char *folder = getenv("MNIST_DIR");
    ImageSet train, test;
    ImageSource source;
    Status status = {0};
    assert_int_equal(idx_read(folder ? folder : "data/mnist", "train", &train, &source, &status), STATUS_OK);
    assert_int_equal(idx_read(folder ? folder : "data/mnist", "t10k", &test, &source, &status), STATUS_OK);
    check(train.images, 20000, test.images, 500, IMAGE_PIXELS, 5);
    check(train.images, 20000, test.images, 50, IMAGE_PIXELS, 100);
    image_set_free(&train);
    image_set_free(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_and_duplicates),
        cmocka_unit_test(noise_without_structure),
        cmocka_unit_test(constant_images_and_far_outliers),
        cmocka_unit_test(neighbours_that_hardly_differ),
        cmocka_unit_test(the_longest_rows),
        cmocka_unit_test(real_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
