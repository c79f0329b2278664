/* Searches over ranks: the same neighbours and predictions as a plain search over everything. */
#include "pardigits/checkpoint.h"
#include "pardigits/comm.h"
#include "pardigits/knn.h"
#include "pardigits/mem.h"
#include "pardigits/partition.h"

#include "../ref/knn_ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void check_ranks(const Comm *comm, int64_t rows, int64_t query_count, int64_t k) {
    const int columns = 50;
    uint8_t *images = ref_tied_images(rows, columns, 1), *queries = ref_tied_images(query_count, columns, 2);
    Range own = partition_range(rows, comm_size(comm), comm_rank(comm));
    Range share = partition_range(query_count, comm_size(comm), comm_rank(comm));
    int64_t kept = k < rows ? k : rows;
    PixRows reference = pix_rows_new(images + own.begin * columns, range_size(own), columns);
    PixRows packed = pix_rows_new(queries, query_count, columns);
    Neighbour *out = mem_new((size_t)(range_size(share) * kept), sizeof *out);
    Neighbour *expected = mem_new((size_t)kept, sizeof *expected);
    knn_search_ranks(comm, &reference, rows, &packed, k, 1, out);
    for (int64_t q = share.begin; q < share.end; q++) {
        ref_nearest(images, rows, columns, queries + q * columns, k, expected);
        assert_memory_equal(out + (q - share.begin) * kept, expected, (size_t)kept * sizeof *expected);
    }
    mem_free(expected);
    mem_free(out);
    pix_rows_free(&packed);
    pix_rows_free(&reference);
    mem_free(queries);
    mem_free(images);
}

static void neighbours_equal_the_reference(void **state) {
    const int64_t rows[] = {1, 2, 3, 5, 64, 1000}, queries[] = {0, 1, 2, 3, 100}, ks[] = {1, 3, 5, 600, 1000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < sizeof queries / sizeof *queries; j++)
            for (size_t n = 0; n < sizeof ks / sizeof *ks; n++)
                check_ranks(*state, rows[i], queries[j], ks[n]);
}

/* A folder that all ranks know; made by rank 0. */
static void make_folder(const Comm *comm, char folder[200]) {
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, 200, "%s/pardigits-knn-XXXXXX", temporary ? temporary : "/tmp");
    if (comm_rank(comm) == 0 && !mkdtemp(folder)) fail_msg("no folder %s", folder);
    comm_broadcast(comm, folder, 200, 0);
}

/* Trains on this rank's shard, loads the file and predicts. */
static void train_and_predict(const Comm *comm, const Config *config, const ImageSet *all,
                              const uint8_t *queries, int64_t query_count, const char *path,
                              Prediction *out) {
    Range own = partition_range(all->n, comm_size(comm), comm_rank(comm));
    Log log = log_create(1);
    ImageSet shard = {range_size(own), all->images + own.begin * IMAGE_PIXELS, all->labels + own.begin};
    TrainJob job = {.comm = comm,
                    .config = config,
                    .log = &log,
                    .threads = 1,
                    .train_count = all->n,
                    .shard = shard,
                    .model_path = path};
    Status status = {0};
    H5File *file = NULL;
    void *model = NULL;
    assert_int_equal(knn_family.train(&job, &status), STATUS_OK);
    assert_int_equal(checkpoint_open(path, comm, &file, &status), STATUS_OK);
    assert_int_equal(knn_family.load(&model, file, config, comm, &status), STATUS_OK);
    char text[100];
    knn_family.describe(file, config, text, sizeof text);
    assert_non_null(strstr(text, "k = 4"));
    assert_int_equal(h5_close(&file, &status), STATUS_OK);
    assert_int_equal(knn_family.predict(model, comm, 2, queries, query_count, out, &status), STATUS_OK);
    assert_int_equal(knn_family.predict(model, comm, 2, queries, 0, NULL, &status), STATUS_OK);
    knn_family.destroy(&model);
    assert_null(model);
}

static void check_family(const Comm *comm, int64_t rows) {
    enum { QUERIES = 30, K = 4 };
    char folder[200], path[256];
    make_folder(comm, folder);
    snprintf(path, sizeof path, "%s/model.h5", folder);
    ImageSet all = {rows, ref_tied_images(rows, IMAGE_PIXELS, 3), mem_new((size_t)rows, 1)};
    for (int64_t i = 0; i < rows; i++)
        all.labels[i] = (uint8_t)(i * 7 % 10);
    uint8_t *queries = ref_tied_images(QUERIES, IMAGE_PIXELS, 4);
    Config *config = config_create();
    Status status = {0};
    assert_int_equal(config_set(config, "knn.k=4", "test", &status), STATUS_OK);
    Prediction out[QUERIES];
    train_and_predict(comm, config, &all, queries, QUERIES, path, out);
    for (int q = 0; q < QUERIES; q++) {
        Neighbour nearest[K];
        ref_nearest(all.images, rows, IMAGE_PIXELS, queries + q * IMAGE_PIXELS, K, nearest);
        Prediction expected = knn_vote(nearest, rows < K ? rows : K, all.labels);
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
        check_family(*state, rows[i]);
}

static Comm *world;

static int give_world(void **state) {
    *state = world;
    return 0;
}

int main(int argc, char **argv) {
    world = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_equal_the_reference),
        cmocka_unit_test(predictions_equal_the_reference),
    };
    int failed = cmocka_run_group_tests(tests, give_world, NULL);
    comm_finalize(&world);
    return failed;
}
