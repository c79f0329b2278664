/* Metrics of a run and of the one that goes on with it, in one file. */
#include "core/mem.h"
#include "core/timer.h"
#include "ensemble/families.h"
#include "parallel/comm.h"
#include "store/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void test_metrics_survive_and_are_cut_on_resume(void **state) {
    (void)state;
    static const MetricsColumn columns[] = {{"epoch", METRICS_COUNT, ""}, {"loss", METRICS_REAL, "nats"}};
    char folder[] = "/tmp/pardigits-metrics-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/metrics.h5", folder);
    Config *config = config_create(&model_families.keys);
    Metrics *metrics;
    Status status = {0};
    for (int part = 0; part < 2; part++) {
        metrics_open(&metrics, path, config, part == 1, &status);
        metrics_run(metrics, 3, 2, timer_now_s() - 100);
        metrics_table(metrics, "epochs", columns, 2);
        metrics_set_text(metrics, "binding", part ? "close" : "spread");
        metrics_add(metrics, "train_s", 2);
        metrics_add(metrics, "train_s", part);
        if (part) metrics_cut(metrics, "epochs", 2);
        for (int epoch = part ? 2 : 0; epoch < (part ? 5 : 3); epoch++)
            metrics_append(metrics, "epochs", (double[]){epoch, part + epoch / 8.0});
        assert_int_equal(metrics_flush(metrics, &status), STATUS_OK);
        metrics_destroy(&metrics);
    }
    H5File *file;
    MetricsTable table;
    h5_open(&file, path, &status);
    assert_int_equal(metrics_read_table(file, "/epochs", &table, &status), STATUS_OK);
    assert_int_equal(table.rows, 5);
    const double expected[] = {0, 0, 1, 0.125, 2, 1.25, 3, 1.375, 4, 1.5};
    assert_memory_equal(table.values, expected, sizeof expected);
    assert_string_equal(table.names[1], "loss");
    metrics_free_table(&table);
    int64_t ranks = 0, threads = 0;
    h5_get_i64(file, "/run", "ranks", &ranks, &status);
    h5_get_i64(file, "/run", "threads", &threads, &status);
    assert_int_equal(ranks, 3);
    assert_int_equal(threads, 2);
    int64_t starts = 0;
    char *binding = NULL;
    double train_s = 0;
    h5_get_i64(file, "/run", "starts", &starts, &status);
    h5_get_text(file, "/run", "binding", &binding, &status);
    h5_get_f64(file, "/run", "train_s", &train_s, &status);
    assert_int_equal(starts, 2);
    assert_string_equal(binding, "close");
    assert_true(train_s == 3);
    mem_free(binding);
    double seconds = 0; /* of both parts */
    h5_get_f64(file, "/run", "seconds", &seconds, &status);
    assert_true(seconds >= 200 && seconds < 300);
    h5_close(&file, &status);
    config_destroy(&config);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* nothing else is left in it */
}

/* Words stay the same words when a run goes on that meets them in another order. */
static void test_columns_of_words(void **state) {
    (void)state;
    static const MetricsColumn columns[] = {{"part", METRICS_COUNT, ""}, {"phase", METRICS_WORD, ""}};
    static const char *const words[] = {"wait", "sixteen letters!", "compute", "wait"};
    char folder[] = "/tmp/pardigits-metrics-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/metrics.h5", folder);
    Config *config = config_create(&model_families.keys);
    Metrics *metrics;
    Status status = {0};
    for (int part = 0; part < 2; part++) {
        metrics_open(&metrics, path, config, part == 1, &status);
        if (part) metrics_word(metrics, "compute");
        metrics_table(metrics, "phases", columns, 2);
        for (int row = 2 * part; row < 2 * part + 2; row++)
            metrics_append(metrics, "phases", (double[]){row, metrics_word(metrics, words[row])});
        assert_int_equal(metrics_flush(metrics, &status), STATUS_OK);
        metrics_destroy(&metrics);
    }
    H5File *file;
    MetricsTable table;
    h5_open(&file, path, &status);
    assert_int_equal(metrics_read_table(file, "/phases", &table, &status), STATUS_OK);
    assert_int_equal(table.rows, 4);
    for (int row = 0; row < 4; row++) {
        assert_null(metrics_table_word(&table, row, 0));
        assert_true(table.values[2 * row] == row);
        assert_string_equal(metrics_table_word(&table, row, 1), words[row]);
    }
    metrics_free_table(&table);
    h5_close(&file, &status);
    config_destroy(&config);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv); /* HDF5 asks for MPI */
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_metrics_survive_and_are_cut_on_resume),
                                       cmocka_unit_test(test_columns_of_words)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
