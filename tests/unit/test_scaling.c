/* Studies of made-up runs whose speed-ups are known. */
#include "ensemble/families.h"
#include "model/phases.h"
#include "parallel/comm.h"
#include "report/scaling_study.h"
#include "store/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { EPOCHS = 3, MOST_RUNS = 8 };

static const double accuracies[EPOCHS] = {0.9, 0.99, 0.995};

typedef struct {
    int ranks, threads, images, batch; /* batch 0: an SVM, which has two rounds of epoch_s */
    double epoch_s;                    /* of each but the first, which takes 9 s */
    double wait_s;                     /* of each epoch */
    const char *images_sha256;         /* of the dataset; NULL: not said */
} MadeRun;

static void add_epochs(const MadeRun *made, Metrics *metrics) {
    static const MetricsColumn columns[] = {
        {"epoch", true, ""}, {"valid_accuracy", false, ""}, {"seconds", false, "s"}, {"wait_s", false, "s"}};
    metrics_table(metrics, "epochs", columns, 4);
    for (int e = 0; e < EPOCHS; e++)
        metrics_append(metrics, "epochs",
                       (double[]){e + 1, accuracies[e], e ? made->epoch_s : 9, made->wait_s});
}

static void add_rounds(const MadeRun *made, Metrics *metrics) {
    Comm *alone = comm_alone();
    PhaseClock clock = phase_clock_start(alone);
    phase_clock_table(metrics);
    for (int round = 0; round < 2; round++) {
        clock.times = (PhaseTimes){{[PHASE_COMPUTE] = made->epoch_s - made->wait_s - 1,
                                    [PHASE_WAIT] = made->wait_s,
                                    [PHASE_INPUT] = 1,
                                    [PHASE_CHECKPOINT] = 5}};
        metrics_add(metrics, "train_s", phase_clock_report(&clock, metrics));
    }
    assert_true(metrics_last(metrics, "phases") == 2);
    comm_destroy(&alone);
}

/* Writes the metrics of a run to path. */
static void write_run(const MadeRun *made, const char *path) {
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    char set[64];
    config_set(config, made->batch ? "run.model=cnn" : "run.model=svm", "", &status);
    snprintf(set, sizeof set, "run.train=%d", made->images);
    config_set(config, set, "", &status);
    snprintf(set, sizeof set, "cnn.batch=%d", made->batch);
    if (made->batch) config_set(config, set, "", &status);
    Metrics *metrics;
    metrics_open(&metrics, path, config, false, &status);
    metrics_run(metrics, made->ranks, made->threads, 0);
    metrics_set_count(metrics, "hosts", made->ranks);
    metrics_set_count(metrics, "train_images", made->images);
    metrics_set_count(metrics, "complete", 1);
    if (made->images_sha256) metrics_set_text(metrics, "train_images_sha256", made->images_sha256);
    metrics_set_text(metrics, "host_names", "a b");
    metrics_set_text(metrics, "binding", "none");
    metrics_set_text(metrics, "build", "one");
    if (made->batch)
        add_epochs(made, metrics);
    else
        add_rounds(made, metrics);
    assert_int_equal(metrics_flush(metrics, &status), STATUS_OK);
    metrics_destroy(&metrics);
    config_destroy(&config);
}

typedef struct {
    int count;
    ScalingRun runs[MOST_RUNS];
    ScalingStudies studies;
    Status status; /* of finding the studies */
} Found;

static void find(const MadeRun *made, int count, Found *found) {
    char path[] = "/tmp/pardigits-scaling-XXXXXX";
    close(mkstemp(path));
    *found = (Found){.count = count};
    for (int r = 0; r < count; r++) {
        write_run(&made[r], path);
        assert_int_equal(scaling_run_read(&found->runs[r], path, &model_families.keys, 0.99, &found->status),
                         STATUS_OK);
    }
    unlink(path);
    scaling_studies_find(found->runs, count, &found->studies, &found->status);
}

static void found_free(Found *found) {
    scaling_studies_free(&found->studies);
    for (int r = 0; r < found->count; r++)
        scaling_run_free(&found->runs[r]);
}

static void assert_spread(Spread spread, double median, double least, double most) {
    assert_true(fabs(spread.median - median) < 1e-9);
    assert_true(fabs(spread.least - least) < 1e-9);
    assert_true(fabs(spread.most - most) < 1e-9);
}

static void test_strong_scaling_takes_medians_and_leaves_the_first_epoch_out(void **state) {
    (void)state;
    const MadeRun made[] = {
        {2, 1, 1000, 100, 2, 0.5, NULL}, {1, 1, 1000, 100, 4, 0, NULL}, {2, 1, 1000, 100, 3, 0.75, NULL}};
    Found found;
    find(made, 3, &found);
    assert_int_equal(found.studies.count, 1);
    assert_int_equal(found.studies.unused, 0);
    const ScalingStudy *study = found.studies.items;
    assert_string_equal(study->kind, "strong");
    assert_int_equal(study->count, 2);
    const ScalingPoint *base = &study->points[0], *two = &study->points[1];
    assert_int_equal(base->run->ranks, 1);
    assert_int_equal(two->repeats, 2);
    assert_spread(base->seconds, 4, 4, 4);
    assert_spread(base->images_per_s, 250, 250, 250);
    assert_spread(base->accuracy_s, 13, 13, 13); /* the first epoch counts here */
    assert_spread(two->seconds, 2.5, 2, 3);
    assert_spread(two->speedup, 1.6, 4 / 3.0, 2);
    assert_spread(two->efficiency, 0.8, 2 / 3.0, 1);
    assert_spread(two->wait_share, 0.25, 0.25, 0.25);
    assert_true(isnan(two->exposed_share.median));
    found_free(&found);
}

static void test_weak_scaling_counts_the_work(void **state) {
    (void)state;
    const MadeRun made[] = {
        {1, 2, 1000, 100, 4, 0, NULL}, {2, 2, 2000, 200, 5, 0, NULL}, {4, 2, 8000, 400, 8, 0, NULL}};
    Found found;
    find(made, 3, &found);
    assert_int_equal(found.studies.count, 1);
    assert_int_equal(found.studies.unused, 1); /* twice the images a thread */
    assert_string_equal(found.studies.items->kind, "weak");
    assert_int_equal(found.studies.items->count, 2);
    assert_spread(found.studies.items->points[1].speedup, 1.6, 1.6, 1.6);
    assert_spread(found.studies.items->points[1].efficiency, 0.8, 0.8, 0.8);
    found_free(&found);
}

static void test_one_run_can_be_in_a_strong_and_a_weak_study(void **state) {
    (void)state;
    const MadeRun made[] = {
        {1, 1, 2000, 200, 8, 0, NULL}, {2, 1, 2000, 200, 4, 0, NULL}, {1, 1, 1000, 200, 4, 0, NULL}};
    Found found;
    find(made, 3, &found);
    assert_int_equal(found.studies.count, 2);
    assert_string_equal(found.studies.items[0].kind, "strong");
    assert_string_equal(found.studies.items[1].kind, "weak"); /* with the same batch */
    assert_spread(found.studies.items[0].points[1].efficiency, 1, 1, 1);
    assert_spread(found.studies.items[1].points[1].efficiency, 1, 1, 1);
    found_free(&found);
}

static void test_rounds_tell_what_a_family_without_epochs_waits(void **state) {
    (void)state;
    const MadeRun made[] = {{1, 1, 1000, 0, 8, 0, NULL}, {2, 1, 1000, 0, 5, 2, NULL}};
    Found found;
    find(made, 2, &found);
    assert_int_equal(found.studies.count, 1);
    const ScalingPoint *points = found.studies.items->points;
    assert_spread(points[1].seconds, 10, 10, 10); /* saves aren't in it */
    assert_spread(points[1].speedup, 1.6, 1.6, 1.6);
    assert_spread(points[0].wait_share, 0, 0, 0);
    assert_spread(points[1].wait_share, 0.4, 0.4, 0.4);
    assert_true(isnan(points[1].exposed_share.median));
    found_free(&found);
}

static void assert_refused(const MadeRun *made, int count, const char *text) {
    Found found;
    find(made, count, &found);
    assert_int_equal(found.status.code, STATUS_USAGE);
    assert_non_null(strstr(found.status.text, text));
    found_free(&found);
}

static void test_sizes_that_make_no_study_are_refused(void **state) {
    (void)state;
    const MadeRun same[] = {{2, 3, 1000, 100, 4, 0, NULL}, {2, 3, 1000, 100, 4, 0, NULL}};
    assert_refused(same, 2, "at least two sizes, but all of these are on 2 ranks x 3 threads");
    assert_refused(same, 1, "there is one run, on 2 ranks");
    const MadeRun turned[] = {{2, 1, 1000, 100, 4, 0, NULL}, {1, 2, 1000, 100, 4, 0, NULL}};
    assert_refused(turned, 2, "these have the same number of threads in all");
    const MadeRun unlike[] = {{1, 1, 1000, 100, 4, 0, NULL}, {2, 1, 1500, 100, 4, 0, NULL}};
    assert_refused(unlike, 2, "make no study");
    const MadeRun others[] = {
        {1, 1, 1000, 100, 4, 0, "ab"}, {2, 1, 1000, 100, 4, 0, NULL}, {4, 1, 1000, 100, 4, 0, "cd"}};
    assert_refused(others, 3, "are of different datasets");
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv); /* HDF5 asks for MPI */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strong_scaling_takes_medians_and_leaves_the_first_epoch_out),
        cmocka_unit_test(test_weak_scaling_counts_the_work),
        cmocka_unit_test(test_rounds_tell_what_a_family_without_epochs_waits),
        cmocka_unit_test(test_one_run_can_be_in_a_strong_and_a_weak_study),
        cmocka_unit_test(test_sizes_that_make_no_study_are_refused)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed != 0;
}
