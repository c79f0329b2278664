/* Training of a tiny network on made-up images: the same model for any number of threads, stopped or not;
 * metrics; refusals. */
#include "ref/cnn_run.h"

#include "core/mem.h"
#include "parallel/stop.h"
#include "ref/ref_model.h"
#include "store/checkpoint.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { EPOCHS = 3 };

static void check_metrics(const CnnRun *run, double least_accuracy) {
    H5File *file = NULL;
    MetricsTable steps = {0}, epochs = {0};
    Status status = {0};
    h5_open(&file, run->metrics, &status);
    if (!status.code) metrics_read_table(file, "/steps", &steps, &status);
    if (!status.code) metrics_read_table(file, "/epochs", &epochs, &status);
    h5_close(&file, &status);
    if (status.code) fail_msg("%s", status.text);
    assert_int_equal(steps.rows, EPOCHS * CNN_RUN_STEPS);
    for (int64_t i = 0; i < steps.rows; i++) {
        assert_int_equal((int)steps.values[i * steps.columns], i + 1);
        assert_int_equal((int)steps.values[i * steps.columns + 1], i / CNN_RUN_STEPS + 1);
    }
    assert_int_equal(epochs.rows, EPOCHS);
    if (!epochs.values) return;                                         /* never: for the analyser */
    const double *last = epochs.values + (EPOCHS - 1) * epochs.columns; /* epoch, loss, two accuracies */
    assert_true(last[1] < epochs.values[1]);
    if (!(last[2] > least_accuracy))
        fail_msg("training accuracy %g, expected more than %g", last[2], least_accuracy);
    assert_true(last[2] <= 1);
    assert_true(last[3] > least_accuracy && last[3] <= 1);
    metrics_free_table(&steps);
    metrics_free_table(&epochs);
}

/* What training has beside the defaults. */
static const char recipe_layers[] =
    "cnn.layers=conv:4:3 bn relu@a conv:4:3:p1 bn add:a relu avgpool:3 dropout:0.1 "
    "dense:12 bn relu dense:classes";
static const char *const recipe[] = {recipe_layers, "cnn.ema=0.9",   "cnn.label_smoothing=0.1",
                                     "cnn.shear=5", "cnn.elastic=1", "cnn.lars=0.2"};

static void check_threads(const CnnRun *run, const char *const *changes, int count, double least_accuracy) {
    Config *config = cnn_run_config(changes, count);
    char one[65], several[65];
    cnn_run_train_whole(run, config, 1, one);
    for (int threads = 2; threads <= 3; threads++) {
        cnn_run_train_whole(run, config, threads, several);
        assert_string_equal(several, one);
    }
    check_metrics(run, least_accuracy);
    config_destroy(&config);
}

/* One micro-batch a step, in which the threads work together. */
static const char *const one_micro_batch[] = {
    "cnn.micro_batch=64", "cnn.layers=conv:4:3 bn relu conv:20:3 bn relu@a conv:20:3:p1 bn add:a relu pool:3 "
                          "dropout:0.1 dense:12 bn relu dense:classes"};

static void test_threads(void **state) {
    check_threads(*state, one_micro_batch, sizeof one_micro_batch / sizeof *one_micro_batch, 0.2);
    check_threads(*state, NULL, 0, 0.4);
    check_threads(*state, recipe, sizeof recipe / sizeof *recipe, 0.2);
}

/* Loads the model and recognises new images; the same for any number of threads. */
static void test_prediction(void **state) {
    const CnnRun *run = *state;
    Config *config = cnn_run_config(NULL, 0);
    char hex[65];
    Status status = {0};
    cnn_run_train_whole(run, config, 2, hex);
    Model model = ref_model_load(run->comm, run->model, config, &status);
    if (status.code) fail_msg("%s", status.text);
    for (int64_t n = 0; n <= 100; n = n * 2 + 1) {
        ImageSet images = cnn_run_images(2000, n);
        Prediction *one = mem_new((size_t)n, sizeof *one), *two = mem_new((size_t)n, sizeof *two);
        ref_model_predict(&model, run->comm, 1, &images, one);
        ref_model_predict(&model, run->comm, 2, &images, two);
        int64_t correct = 0;
        for (int64_t i = 0; i < n; i++) {
            correct += one[i].label == images.labels[i];
            assert_int_equal(one[i].label, two[i].label);
            assert_memory_equal(&one[i].confidence, &two[i].confidence, sizeof one[i].confidence);
            assert_true(one[i].confidence * (float)cnn_run_spec.classes >= 1 && one[i].confidence <= 1);
        }
        assert_true(correct * 2 >= n);
        image_set_free(&images);
        mem_free(one);
        mem_free(two);
    }
    char text[256];
    model.family->describe(&model, text, sizeof text);
    assert_non_null(strstr(text, "3 of 3 epochs"));
    model_close(&model);
    config_destroy(&config);
}

/* A file whose arrays aren't those of its configuration is refused on all ranks, with the array's name. */
static void test_foreign_content(void **state) {
    const CnnRun *run = *state;
    const char *const other[] = {"cnn.layers=conv:5:3 bn relu pool:3 dense:classes"};
    Config *config = cnn_run_config(NULL, 0), *changed = cnn_run_config(other, 1);
    char hex[65];
    Status refused = {0};
    cnn_run_train_whole(run, config, 1, hex);
    Model model = ref_model_load(run->comm, run->model, changed, &refused);
    assert_int_equal(refused.code, STATUS_FAILED);
    assert_non_null(strstr(refused.text, "conv1/weight"));
    model_close(&model);
    config_destroy(&changed);
    config_destroy(&config);
}

/* Fewer samples than ranks and than a micro-batch: ranks without work. */
static void test_few_samples(void **state) {
    const CnnRun *run = *state;
    Config *config = cnn_run_config(NULL, 0);
    char hex[65];
    for (int64_t count = 1; count <= 3; count++) {
        Status status = {0};
        cnn_run_clear(run);
        if (cnn_run_train(run, config, 2, count, false, &status)) fail_msg("%s", status.text);
        cnn_run_digest(run, hex);
    }
    config_destroy(&config);
}

static void test_refusals(void **state) {
    const char *const odd_micro_batch[] = {"cnn.micro_batch=12"}, *const micro_batches[] = {
                                                                      "cnn.micro_batch=1", "cnn.batch=5000"};
    const char *const bad_layers[] = {"cnn.layers=conv:4:30 dense:classes"};
    const char *const diverging[] = {"cnn.lr=1000", "cnn.schedule=constant",
                                     "cnn.layers=dense:50 relu dense:classes"};
    cnn_run_expect_refusal(*state, odd_micro_batch, 1, STATUS_USAGE, "power of two");
    cnn_run_expect_refusal(*state, micro_batches, 2, STATUS_USAGE, "larger micro-batch");
    cnn_run_expect_refusal(*state, bad_layers, 1, STATUS_USAGE, "conv:4:30");
    cnn_run_expect_refusal(*state, diverging, 3, STATUS_FAILED, "lower cnn.lr");
}

/* After the signal training stops after each step, again and again: the resumed runs end in the same model.
 */
static void check_resumed(const CnnRun *run, const Config *config, const char *whole) {
    char pieces[65];
    assert_int_equal(cnn_run_train_pieces(run, config, pieces), EPOCHS * CNN_RUN_STEPS);
    assert_string_equal(pieces, whole);
    check_metrics(run, 0.2);
}

/* A signal on the last rank stops all. Comes last, because a signal isn't forgotten. */
static void test_stop_and_resume(void **state) {
    const CnnRun *run = *state;
    Config *plain = cnn_run_config(NULL, 0), *rich = cnn_run_config(recipe, sizeof recipe / sizeof *recipe);
    char whole[65], whole_rich[65];
    cnn_run_train_whole(run, plain, 2, whole);
    cnn_run_train_whole(run, rich, 2, whole_rich);
    if (comm_rank(run->comm) == comm_size(run->comm) - 1) raise(SIGUSR1);
    check_resumed(run, plain, whole);
    check_resumed(run, rich, whole_rich);
    config_destroy(&plain);
    config_destroy(&rich);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    stop_install();
    CnnRun run = cnn_run_new(comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_threads, &run),
        cmocka_unit_test_prestate(test_prediction, &run),
        cmocka_unit_test_prestate(test_foreign_content, &run),
        cmocka_unit_test_prestate(test_few_samples, &run),
        cmocka_unit_test_prestate(test_refusals, &run),
        cmocka_unit_test_prestate(test_stop_and_resume, &run),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cnn_run_free(&run);
    comm_finalize(&comm);
    return failed;
}
