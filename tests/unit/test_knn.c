/* The search against a plain reference, the vote, and what other programs found on the real MNIST. */
#include "core/mem.h"
#include "core/sha256.h"
#include "data/idx.h"
#include "knn/knn.h"
#include "store/dataset.h"

#include "ref/knn_neighbours.h"
#include "ref/knn_ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Searches and compares neighbour for neighbour, for one thread and for three. */
static void check_search(const uint8_t *images, int64_t rows, const uint8_t *queries, int64_t query_count,
                         int columns, int64_t k) {
    PixRows reference = pix_rows_new(images, rows, columns);
    PixRows packed = pix_rows_new(queries, query_count, columns);
    int64_t kept = k < rows ? k : rows;
    Neighbour *out = mem_new((size_t)(query_count * kept), sizeof *out);
    Neighbour *expected = mem_new((size_t)kept, sizeof *expected);
    for (int threads = 1; threads <= 3; threads += 2) {
        memset(out, 0xff, (size_t)(query_count * kept) * sizeof *out);
        knn_search(&reference, 0, &packed, k, threads, NULL, out);
        for (int64_t q = 0; q < query_count; q++) {
            ref_nearest(images, rows, columns, queries + q * columns, k, expected);
            assert_memory_equal(out + q * kept, expected, (size_t)kept * sizeof *expected);
        }
    }
    mem_free(expected);
    mem_free(out);
    pix_rows_free(&packed);
    pix_rows_free(&reference);
}

static void search_equals_the_reference_with_many_ties(void **state) {
    (void)state;
    const int64_t counts[] = {1, 2, 63, 64, 65, 511, 512, 513, 1500}, ks[] = {1, 2, 3, 5, 64, 600, 1000};
    const int columns[] = {1, 9, 64, 65};
    uint8_t *queries = ref_tied_images(101, 65, 2);
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            uint8_t *images = ref_tied_images(counts[i], columns[c], 1);
            for (size_t j = 0; j < sizeof ks / sizeof *ks; j++)
                check_search(images, counts[i], queries, counts[i] > 100 ? 10 : 101, columns[c], ks[j]);
            mem_free(images);
        }
    mem_free(queries);
}

static void constant_images_come_in_order_of_index(void **state) {
    (void)state;
    const int64_t rows = 700, k = 100;
    uint8_t *images = mem_new((size_t)rows, 784), *query = mem_new(1, 784);
    memset(query, 255, 784);
    PixRows reference = pix_rows_new(images, rows, 784), packed = pix_rows_new(query, 1, 784);
    Neighbour out[100];
    knn_search(&reference, 1000, &packed, k, 1, NULL, out);
    for (int64_t i = 0; i < k; i++) {
        assert_int_equal(out[i].index, 1000 + i);
        assert_int_equal(out[i].distance, 255 * 255 * 784);
    }
    pix_rows_free(&packed);
    pix_rows_free(&reference);
    mem_free(query);
    mem_free(images);
}

static void nothing_to_search_is_legal(void **state) {
    (void)state;
    const uint8_t image[784] = {1};
    PixRows none = pix_rows_new(image, 0, 784), one = pix_rows_new(image, 1, 784);
    Neighbour untouched = {7, 8};
    knn_search(&none, 0, &one, 3, 2, NULL, &untouched);
    knn_search(&one, 0, &none, 3, 2, NULL, &untouched);
    assert_int_equal(untouched.distance, 7);
    assert_int_equal(untouched.index, 8);
    pix_rows_free(&none);
    pix_rows_free(&one);
}

static void votes_go_to_the_majority_and_ties_to_the_smaller_label(void **state) {
    (void)state;
    const uint8_t labels[] = {9, 4, 4, 9, 0, 7};
    const Neighbour neighbours[] = {{1, 0}, {2, 1}, {3, 5}, {3, 3}, {5, 2}, {6, 4}};
    const Prediction expected[] = {{9, 1},       {4, 1 / 2.F}, {4, 1 / 3.F},
                                   {9, 2 / 4.F}, {4, 2 / 5.F}, {4, 2 / 6.F}};
    for (int count = 1; count <= 6; count++) {
        Prediction vote = knn_vote(&(KnnVoting){false, 10, labels}, neighbours, count, NULL);
        assert_int_equal(vote.label, expected[count - 1].label);
        assert_true(vote.confidence == expected[count - 1].confidence);
    }
}

static void weighted_votes_count_the_inverse_of_the_distance(void **state) {
    (void)state;
    const uint8_t labels[] = {9, 4, 4, 9};
    const Neighbour neighbours[] = {{1, 0}, {4, 1}, {4, 2}, {4, 3}};
    float shares[10];
    const Prediction vote = knn_vote(&(KnnVoting){true, 10, labels}, neighbours, 3, shares);
    assert_int_equal(vote.label, 9);
    for (int label = 0; label < 10; label++)
        assert_true(shares[label] == (label == 9 ? 1 / 1.5F : label == 4 ? 0.5F / 1.5F : 0));
    assert_true(vote.confidence == 1 / 1.5F);
    const Neighbour far[] = {{3, 0}, {4, 1}, {4, 2}};
    assert_int_equal(knn_vote(&(KnnVoting){true, 10, labels}, far, 3, NULL).label, 4);
    const Neighbour tied[] = {{2, 0}, {4, 1}, {4, 2}};
    assert_int_equal(knn_vote(&(KnnVoting){true, 10, labels}, tied, 3, NULL).label, 4);
}

static void at_distance_zero_only_equal_images_vote(void **state) {
    (void)state;
    const uint8_t labels[] = {9, 4, 4, 4};
    const Neighbour neighbours[] = {{0, 0}, {1, 1}, {1, 2}, {1, 3}};
    assert_int_equal(knn_vote(&(KnnVoting){true, 10, labels}, neighbours, 4, NULL).label, 9);
    assert_true(knn_vote(&(KnnVoting){true, 10, labels}, neighbours, 4, NULL).confidence == 1);
    assert_int_equal(knn_vote(&(KnnVoting){false, 10, labels}, neighbours, 4, NULL).label, 4);
}

static void votes_for_all_k_are_those_of_each(void **state) {
    (void)state;
    enum { COUNT = 40, TRIALS = 200 };
    uint8_t labels[COUNT];
    Neighbour neighbours[COUNT];
    for (int trial = 0; trial < TRIALS; trial++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            labels[i] = (uint8_t)((i * 7 + (uint32_t)trial * i * i) % 3);
            neighbours[i] = (Neighbour){i / 3 + (uint32_t)trial % 2, i};
        }
        for (int weighted = 0; weighted < 2; weighted++) {
            int64_t right[COUNT + 1] = {0};
            knn_count_votes(&(KnnVoting){weighted, 10, labels}, neighbours, COUNT, 1, right);
            assert_int_equal(right[0], 0);
            for (int k = 1; k <= COUNT; k++)
                assert_int_equal(
                    right[k], knn_vote(&(KnnVoting){weighted, 10, labels}, neighbours, k, NULL).label == 1);
        }
    }
}

typedef struct {
    ImageSet train, test;
    Neighbour (*neighbours)[KNOWN_K]; /* [test.n] */
} Mnist;

static int search_mnist(void **state) {
    Mnist *mnist = mem_new(1, sizeof *mnist);
    *state = mnist;
    const char *folder = getenv("MNIST_DIR");
    if (!folder) folder = "data/mnist";
    ImageSource source;
    Status status = {0};
    idx_read(folder, "train", &mnist->train, &source, &status);
    idx_read(folder, "t10k", &mnist->test, &source, &status);
    if (status.code) {
        print_error("%s\n", status.text);
        return -1;
    }
    PixRows reference = pix_rows_new(mnist->train.images, mnist->train.n, IMAGE_PIXELS);
    PixRows queries = pix_rows_new(mnist->test.images, mnist->test.n, IMAGE_PIXELS);
    mnist->neighbours = mem_new((size_t)mnist->test.n, sizeof *mnist->neighbours);
    knn_search(&reference, 0, &queries, KNOWN_K, 2, NULL, mnist->neighbours[0]);
    pix_rows_free(&reference);
    pix_rows_free(&queries);
    return 0;
}

static int free_mnist(void **state) {
    Mnist *mnist = *state;
    image_set_free(&mnist->train);
    image_set_free(&mnist->test);
    mem_free(mnist->neighbours);
    mem_free(mnist);
    return 0;
}

static void mnist_neighbours_are_the_known_ones(void **state) {
    const Mnist *mnist = *state;
    for (int q = 0; q < KNOWN_QUERIES; q++)
        assert_memory_equal(mnist->neighbours[q * KNOWN_EVERY], known_neighbours[q],
                            sizeof known_neighbours[q]);
    char hex[65];
    Sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, mnist->neighbours, (size_t)mnist->test.n * sizeof *mnist->neighbours);
    sha256_end(&hash, hex);
    assert_string_equal(hex, known_sha256);
}

static void mnist_counts_are_the_known_ones(void **state) {
    const Mnist *mnist = *state;
    for (size_t i = 0; i < sizeof known_correct / sizeof *known_correct; i++) {
        int correct = 0;
        for (int64_t q = 0; q < mnist->test.n; q++)
            correct += knn_vote(&(KnnVoting){false, 10, mnist->train.labels}, mnist->neighbours[q],
                                known_correct[i][0], NULL)
                           .label == mnist->test.labels[q];
        assert_int_equal(correct, known_correct[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_equals_the_reference_with_many_ties),
        cmocka_unit_test(constant_images_come_in_order_of_index),
        cmocka_unit_test(nothing_to_search_is_legal),
        cmocka_unit_test(votes_go_to_the_majority_and_ties_to_the_smaller_label),
        cmocka_unit_test(weighted_votes_count_the_inverse_of_the_distance),
        cmocka_unit_test(at_distance_zero_only_equal_images_vote),
        cmocka_unit_test(votes_for_all_k_are_those_of_each),
        cmocka_unit_test(mnist_neighbours_are_the_known_ones),
        cmocka_unit_test(mnist_counts_are_the_known_ones),
    };
    return cmocka_run_group_tests(tests, search_mnist, free_mnist);
}
