/* Searches over ranks: the same neighbours and predictions as a plain search over everything. */
#include "core/mem.h"
#include "core/partition.h"
#include "core/shares.h"
#include "data/gradient.h"
#include "ensemble/families.h"
#include "knn/knn.h"
#include "parallel/comm.h"
#include "store/checkpoint.h"
#include "store/dataset.h"

#include "ref/knn_ref.h"
#include "ref/ref_digits.h"
#include "ref/ref_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What one rank was given. */
typedef struct {
    int64_t count, *taken; /* [queries] how often each query came */
    Neighbour *neighbours; /* [queries][count] */
} Taken;

static void take(void *context, int64_t query, const Neighbour *neighbours) {
    Taken *taken = context;
    taken->taken[query]++;
    memcpy(taken->neighbours + query * taken->count, neighbours, (size_t)taken->count * sizeof *neighbours);
}

/* Even parts for few rows; else those of a last rank at half speed. */
static int64_t *cuts_of(const Comm *comm, int64_t rows) {
    double speeds[64];
    const int ranks = comm_size(comm);
    int64_t *cuts = mem_new((size_t)ranks + 1, sizeof *cuts);
    for (int r = 0; r < ranks; r++)
        speeds[r] = rows > 100 && r == ranks - 1 ? 1 : 2;
    shares_cut(speeds, ranks, rows, 0, cuts);
    return cuts;
}

/* All neighbours by the method, the same on every rank; fails if a query wasn't taken once in all. */
static Neighbour *find_all(const Comm *comm, const uint8_t *images, int64_t rows, int columns,
                           const uint8_t *queries, int64_t query_count, const KnnMethod *method) {
    int64_t *cuts = cuts_of(comm, rows);
    const Range own = {cuts[comm_rank(comm)], cuts[comm_rank(comm) + 1]};
    KnnReference reference = knn_reference_new(comm, cuts, images + own.begin * columns, columns, method, 2);
    Taken taken = {.count = knn_neighbour_count(method, rows)};
    taken.taken = mem_new((size_t)query_count, sizeof *taken.taken);
    taken.neighbours = mem_new((size_t)(query_count * taken.count), sizeof *taken.neighbours);
    knn_nearest(comm, &reference, method, queries, query_count, 2, take, &taken);
    comm_sum_u64(comm, (uint64_t *)taken.taken, query_count);
    for (int64_t q = 0; q < query_count; q++)
        assert_int_equal(taken.taken[q], 1);
    comm_sum_u64(comm, (uint64_t *)taken.neighbours, query_count * taken.count);
    mem_free(taken.taken);
    knn_reference_free(&reference);
    return taken.neighbours;
}

static void check_ranks(const Comm *comm, int64_t rows, int64_t query_count, int64_t k, bool pruned) {
    const int columns = 50;
    uint8_t *images = ref_tied_images(rows, columns, 1), *queries = ref_tied_images(query_count, columns, 2);
    const int64_t kept = k < rows ? k : rows;
    Neighbour *found =
        find_all(comm, images, rows, columns, queries, query_count, &(KnnMethod){.k = k, .pruned = pruned});
    Neighbour *expected = mem_new((size_t)kept, sizeof *expected);
    for (int64_t q = 0; q < query_count; q++) {
        ref_nearest(images, rows, columns, queries + q * columns, k, expected);
        assert_memory_equal(found + q * kept, expected, (size_t)kept * sizeof *expected);
    }
    mem_free(expected);
    mem_free(found);
    mem_free(queries);
    mem_free(images);
}

static void neighbours_equal_the_reference(void **state) {
    const int64_t rows[] = {1, 2, 3, 5, 64, 1000}, queries[] = {0, 1, 2, 3, 100}, ks[] = {1, 3, 5, 600, 1000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < sizeof queries / sizeof *queries; j++)
            for (size_t n = 0; n < sizeof ks / sizeof *ks; n++)
                check_ranks(*state, rows[i], queries[j], ks[n], n % 2);
}

/* Several blocks of queries: the lists of one travel while the next is searched. */
static void blocks_overlap_without_a_difference(void **state) {
    enum { ROWS = 500, QUERIES = 5000, COLUMNS = 20, K = 3 };
    uint8_t *images = ref_tied_images(ROWS, COLUMNS, 1), *queries = ref_tied_images(QUERIES, COLUMNS, 2);
    Neighbour *found = find_all(*state, images, ROWS, COLUMNS, queries, QUERIES, &(KnnMethod){.k = K}),
              expected[K];
    for (int64_t q = 0; q < QUERIES; q += 7) {
        ref_nearest(images, ROWS, COLUMNS, queries + q * COLUMNS, K, expected);
        assert_memory_equal(found + q * K, expected, sizeof expected);
    }
    mem_free(found);
    mem_free(queries);
    mem_free(images);
}

static void check_distorted(const Comm *comm, ImageSpec spec, int64_t rows, int64_t candidates, int64_t k) {
    enum { QUERIES = 6 };
    const KnnMethod method = {.spec = spec, .k = k, .candidates = candidates, .distortion = {1, 1, 4, spec}};
    const int pixels = image_spec_pixels(spec);
    uint8_t *images = ref_tied_images(rows, pixels, 1), *queries = ref_tied_images(QUERIES, pixels, 2);
    const int64_t kept = knn_neighbour_count(&method, rows);
    Neighbour *found = find_all(comm, images, rows, pixels, queries, QUERIES, &method);
    Neighbour *expected = mem_new((size_t)kept, sizeof *expected);
    for (int64_t q = 0; q < QUERIES; q++) {
        ref_nearest_distorted(images, rows, queries + q * pixels, &method, expected);
        assert_memory_equal(found + q * kept, expected, (size_t)kept * sizeof *expected);
    }
    mem_free(expected);
    mem_free(found);
    mem_free(queries);
    mem_free(images);
}

static void distorted_neighbours_equal_the_reference(void **state) {
    const int64_t cases[][3] = {{1, 5, 3}, {3, 2, 3}, {40, 1, 1}, {40, 10, 3}, {40, 100, 50}, {40, 20, 20}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_distorted(*state, i % 2 ? (ImageSpec){28, 28, 10, 0, false} : (ImageSpec){9, 33, 10, 0, false},
                        cases[i][0], cases[i][1], cases[i][2]);
}

/* By gradients: the nearest among the features of the images, as the naive search finds them. */
static void check_gradients(const Comm *comm, const ImageSet *digits, bool pruned) {
    enum { ROWS = 300, QUERIES = 20, K = 5 };
    const int pixels = image_spec_pixels(digits->spec);
    const uint8_t *images = digits->images, *queries = images + (int64_t)ROWS * pixels;
    uint8_t *features = mem_copy(images, (size_t)((ROWS + QUERIES) * pixels));
    gradient_features(digits->spec, features, ROWS + QUERIES, 2);
    const KnnMethod method = {.spec = digits->spec, .k = K, .gradient = true, .pruned = pruned};
    Neighbour *found = find_all(comm, images, ROWS, pixels, queries, QUERIES, &method), expected[K];
    for (int64_t q = 0; q < QUERIES; q++) {
        ref_nearest(features, ROWS, pixels, features + (ROWS + q) * pixels, K, expected);
        assert_memory_equal(found + q * K, expected, sizeof expected);
    }
    mem_free(found);
    mem_free(features);
}

static void neighbours_by_gradients_equal_the_reference(void **state) {
    ImageSet digits = ref_digits("t10k", "0123456789", 0, 320);
    assert_int_equal(digits.n, 320);
    check_gradients(*state, &digits, false);
    check_gradients(*state, &digits, true);
    ImageSet resized = ref_resized(&digits, 21, 30);
    check_gradients(*state, &resized, false);
    image_set_free(&resized);
    image_set_free(&digits);
}

/* A folder that all ranks know; made by rank 0. */
static void make_folder(const Comm *comm, char folder[200]) {
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, 200, "%s/pardigits-knn-XXXXXX", temporary ? temporary : "/tmp");
    if (comm_rank(comm) == 0 && !mkdtemp(folder)) fail_msg("no folder %s", folder);
    comm_broadcast(comm, folder, 200, 0);
}

/* Trains on this rank's shard, loads the file and predicts. */
static void train_and_predict(const Comm *comm, const Config *config, const ImageSet *all, uint8_t *queries,
                              int64_t query_count, const char *path, Prediction *out) {
    Range own = partition_range(all->n, comm_size(comm), comm_rank(comm));
    Log log = log_create(1);
    ImageSet shard = {range_size(own), all->images + own.begin * image_spec_pixels(all->spec),
                      all->labels + own.begin, all->spec};
    TrainJob job = {.comm = comm,
                    .config = config,
                    .log = &log,
                    .threads = 1,
                    .spec = all->spec,
                    .train_count = all->n,
                    .shard = shard,
                    .model_path = path};
    Status status = {0};
    const ImageSet images = {query_count, queries, NULL, all->spec}, none = {.spec = all->spec};
    assert_int_equal(knn_family.train(&job, &status), STATUS_OK);
    Model model = ref_model_load(comm, path, config, &status);
    assert_int_equal(status.code, STATUS_OK);
    char text[100];
    model.family->describe(&model, text, sizeof text);
    assert_non_null(strstr(text, "k = 4"));
    ref_model_predict(&model, comm, 2, &images, out);
    ref_model_predict(&model, comm, 2, &none, NULL);
    model_close(&model);
}

static void check_family(const Comm *comm, ImageSpec spec, int64_t rows) {
    enum { QUERIES = 30, K = 4 };
    char folder[200], path[256];
    make_folder(comm, folder);
    snprintf(path, sizeof path, "%s/model.h5", folder);
    const int pixels = image_spec_pixels(spec);
    ImageSet all = {rows, ref_tied_images(rows, pixels, 3), mem_new((size_t)rows, 1), spec};
    for (int64_t i = 0; i < rows; i++)
        all.labels[i] = (uint8_t)(i * 7 % spec.classes);
    uint8_t *queries = ref_tied_images(QUERIES, pixels, 4);
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    assert_int_equal(config_set(config, "knn.k=4", "test", &status), STATUS_OK);
    Prediction out[QUERIES];
    train_and_predict(comm, config, &all, queries, QUERIES, path, out);
    for (int q = 0; q < QUERIES; q++) {
        Neighbour nearest[K];
        ref_nearest(all.images, rows, pixels, queries + q * pixels, K, nearest);
        Prediction expected =
            knn_vote(&(KnnVoting){false, spec.classes, all.labels}, nearest, rows < K ? rows : K, NULL);
        assert_int_equal(out[q].label, expected.label);
        assert_true(out[q].confidence == expected.confidence);
    }
    config_destroy(&config);
    mem_free(queries);
    image_set_free(&all);
    if (comm_rank(comm) == 0) {
        unlink(path);
        rmdir(folder);
    }
}

static void predictions_equal_the_reference(void **state) {
    const int64_t rows[] = {1, 3, 200};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_family(*state, i % 2 ? (ImageSpec){28, 28, 10, 0, false} : (ImageSpec){16, 13, 256, 0, false},
                     rows[i]);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(neighbours_equal_the_reference, comm),
        cmocka_unit_test_prestate(blocks_overlap_without_a_difference, comm),
        cmocka_unit_test_prestate(distorted_neighbours_equal_the_reference, comm),
        cmocka_unit_test_prestate(neighbours_by_gradients_equal_the_reference, comm),
        cmocka_unit_test_prestate(predictions_equal_the_reference, comm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
