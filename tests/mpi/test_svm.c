/* Class pairs over ranks: the same model as one thread alone makes of each pair, and LIBSVM's predictions. */
#include "core/mem.h"
#include "data/gradient.h"
#include "ensemble/families.h"
#include "parallel/stop.h"
#include "store/checkpoint.h"
#include "store/dataset.h"

#include "ref/ref_digits.h"
#include "ref/ref_model.h"
#include "ref/svm_libsvm.h"
#include "ref/svm_ref.h"
#include "svm/model.h"
#include "svm/pixel_rows.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A model file in a folder of its own, whose name all ranks know. */
typedef struct {
    const Comm *comm;
    char folder[200], path[256];
    Config *config;
} Run;

static Run run_new(const Comm *comm) {
    const char *temporary = getenv("TMPDIR");
    Run run = {.comm = comm, .config = config_create(&model_families.keys)};
    snprintf(run.folder, sizeof run.folder, "%s/pardigits-svm-XXXXXX", temporary ? temporary : "/tmp");
    if (comm_rank(comm) == 0 && !mkdtemp(run.folder)) fail_msg("no folder %s", run.folder);
    comm_broadcast(comm, run.folder, sizeof run.folder, 0);
    snprintf(run.path, sizeof run.path, "%s/model.h5", run.folder);
    Status status = {0};
    config_set_value(run.config, "svm.shard", "1", "test", &status);
    config_set_value(run.config, "run.model", "svm", "test", &status);
    return run;
}

static void run_free(Run *run) {
    comm_barrier(run->comm);
    if (comm_rank(run->comm) == 0) {
        char previous[256];
        snprintf(previous, sizeof previous, "%s/model.prev.h5", run->folder);
        unlink(run->path);
        unlink(previous);
        rmdir(run->folder);
    }
    config_destroy(&run->config);
}

static void set(Run *run, const char *name, double value) {
    Status status = {0};
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    assert_int_equal(config_set_value(run->config, name, text, "test", &status), STATUS_OK);
}

/* Takes over resume. */
static StatusCode train(const Run *run, const ImageSet *all, int threads, H5File *resume, Status *status) {
    Range own = partition_range(all->n, comm_size(run->comm), comm_rank(run->comm));
    Log log = log_create(1);
    const int64_t pixels = image_spec_pixels(all->spec);
    TrainJob job = {.comm = run->comm, .config = run->config, .log = &log, .threads = threads};
    job.resume = resume;
    job.resumed = resume != NULL;
    job.train_count = all->n;
    job.spec = all->spec;
    job.shard = image_set_new(range_size(own), all->spec);
    memcpy(job.shard.images, all->images + own.begin * pixels, (size_t)(job.shard.n * pixels));
    memcpy(job.shard.labels, all->labels + own.begin, (size_t)job.shard.n);
    job.model_path = run->path;
    svm_family.train(&job, status);
    h5_close(&job.resume, &(Status){0});
    train_job_free_images(&job);
    return status->code;
}

static const ImageSpec mnist = {28, 28, 10, 0, false};

static SvmModel *read_model(const Run *run, char digest[65]) {
    Status status = {0};
    H5File *file;
    SvmModel *model;
    assert_int_equal(checkpoint_open(run->path, run->comm, &file, &status), STATUS_OK);
    assert_int_equal(svm_model_read(&model, file, run->config, mnist, &status), STATUS_OK);
    assert_int_equal(h5_digest(file, digest, &status), STATUS_OK);
    assert_int_equal(h5_close(&file, &status), STATUS_OK);
    return model;
}

/* What one thread makes of a pair, with rows computed for it alone. */
static void check_pair_of(const Run *run, const SvmSamples *samples, const SvmModel *model, int number) {
    const ImageSet *all = &samples->set;
    const SvmPair *pair = &model->pairs.items[number];
    int a, b;
    int64_t n = 0;
    svm_pair_classes(10, number, &a, &b);
    int32_t *index = mem_new((size_t)all->n, sizeof *index);
    int8_t *y = mem_new((size_t)all->n, 1);
    for (int side = 0; side < 2; side++)
        for (int64_t i = 0; i < all->n; i++)
            if (all->labels[i] == (side ? b : a)) {
                y[n] = side ? -1 : 1;
                index[n++] = (int32_t)i;
            }
    PairWorkers *workers = pair_workers_create(1);
    PixelRows rows = {.kernel = &model->kernel,
                      .images = all->images,
                      .pixels = image_spec_pixels(all->spec),
                      .index = index,
                      .n = n,
                      .workers = workers};
    pixel_rows_init(&rows);
    float *diagonal = mem_new((size_t)n, sizeof *diagonal);
    pixel_rows_diagonal(&rows, diagonal);
    SvmProblem problem = {
        .n = n, .y = y, .diagonal = diagonal, .rows = pixel_rows_source(&rows), .cache_bytes = 1};
    problem.c = config_real(run->config, "svm.c");
    problem.eps = config_real(run->config, "svm.eps");
    SvmSolution solution;
    assert_true(svm_solve(&problem, &solution));
    assert_int_equal(pair->support_count, solution.support);
    assert_true(pair->rho == solution.rho && pair->objective == solution.objective);
    double *coefficient = mem_new((size_t)all->n, sizeof *coefficient); /* by sample */
    for (int64_t k = 0; k < n; k++)
        coefficient[index[k]] = solution.coefficient[k];
    for (int64_t s = 0; s < pair->support_count; s++)
        assert_true(pair->coefficient[s] ==
                    coefficient[svm_sample_number(samples, model->origin[pair->support[s]])]);
    svm_solution_free(&solution);
    mem_free(coefficient);
    mem_free(diagonal);
    pixel_rows_free(&rows);
    pair_workers_destroy(&workers);
    mem_free(y);
    mem_free(index);
}

static void check_pair(const Run *run, const ImageSet *all, const SvmModel *model, int number) {
    const SvmSamples samples = {.set = *all};
    check_pair_of(run, &samples, model, number);
}

static void check_predictions(const Run *run, const ImageSet *test, const char *expected) {
    Status status = {0};
    const ImageSet none = {.spec = test->spec};
    Prediction out[100];
    Model model = ref_model_load(run->comm, run->path, run->config, &status);
    assert_int_equal(status.code, STATUS_OK);
    ref_model_predict(&model, run->comm, 2, test, out);
    for (int64_t i = 0; i < test->n; i++) {
        assert_int_equal(out[i].label, expected[i] - '0');
        assert_true(out[i].confidence > 0.3f && out[i].confidence <= 1);
    }
    ref_model_predict(&model, run->comm, 2, &none, NULL);
    model_close(&model);
}

static void three_digits_are_told_apart_as_by_libsvm(void **state) {
    ImageSet all = ref_digits("train", "358", 100, 0), test = ref_digits("t10k", "358", 0, 100);
    if (all.n != 300 || test.n != 100) fail_msg("no MNIST");
    static const char *const names[] = {[SVM_RBF] = "rbf", [SVM_POLY] = "poly", [SVM_LINEAR] = "linear"};
    for (size_t k = 0; k < sizeof libsvm_answers / sizeof *libsvm_answers; k++) {
        const LibsvmAnswer *known = &libsvm_answers[k];
        Run run = run_new(*state);
        Status status = {0};
        char digest[65];
        config_set_value(run.config, "svm.kernel", names[known->kernel.type], "test", &status);
        set(&run, "svm.gamma", known->kernel.gamma);
        set(&run, "svm.coef0", known->kernel.coef0);
        set(&run, "svm.c", known->c);
        set(&run, "svm.eps", 1e-5);
        assert_int_equal(train(&run, &all, 2, NULL, &status), STATUS_OK);
        SvmModel *model = read_model(&run, digest);
        const int pairs[3] = {svm_pair_number(10, 3, 5), svm_pair_number(10, 3, 8),
                              svm_pair_number(10, 5, 8)};
        assert_int_equal(svm_pairs_solved(&model->pairs), 3);
        for (int p = 0; p < 3; p++) {
            const SvmPair *pair = &model->pairs.items[pairs[p]];
            assert_true(fabs(pair->objective - known->objective[p]) <=
                        1e-6 * fabs(known->objective[p]) + 5e-7);
            assert_true(fabs(pair->rho - known->rho[p]) <= 2e-5);
            check_pair(&run, &all, model, pairs[p]);
        }
        check_predictions(&run, &test, known->predicted);
        svm_model_destroy(&model);
        run_free(&run);
    }
    image_set_free(&test);
    image_set_free(&all);
}

/* Fewer pairs than ranks, and one pair for several threads. */
static void two_digits_make_one_pair(void **state) {
    ImageSet all = ref_digits("train", "49", 700, 0);
    if (all.n != 1400) fail_msg("no MNIST");
    char digests[2][65];
    for (int t = 0; t < 2; t++) {
        Run run = run_new(*state);
        Status status = {0};
        set(&run, "svm.cache_mb", t ? 1 : 100);
        assert_int_equal(train(&run, &all, 1 + 2 * t, NULL, &status), STATUS_OK);
        SvmModel *model = read_model(&run, digests[t]);
        assert_int_equal(svm_pairs_solved(&model->pairs), 1);
        check_pair(&run, &all, model, svm_pair_number(10, 4, 9));
        svm_model_destroy(&model);
        run_free(&run);
    }
    assert_string_equal(digests[0], digests[1]);
    image_set_free(&all);
}

static void one_digit_is_refused(void **state) {
    ImageSet all = ref_digits("train", "7", 5, 0);
    Run run = run_new(*state);
    Status status = {0};
    assert_int_equal(train(&run, &all, 1, NULL, &status), STATUS_FAILED);
    assert_non_null(strstr(status.text, "at least two"));
    run_free(&run);
    image_set_free(&all);
}

static void an_overflowing_kernel_is_refused(void **state) {
    ImageSet all = ref_digits("train", "17", 5, 0);
    Run run = run_new(*state);
    Status status = {0};
    config_set_value(run.config, "svm.kernel", "poly", "test", &status);
    set(&run, "svm.gamma", 1000);
    set(&run, "svm.degree", 20);
    assert_int_equal(train(&run, &all, 1, NULL, &status), STATUS_USAGE);
    assert_non_null(strstr(status.text, "svm.gamma"));
    run_free(&run);
    image_set_free(&all);
}

static void save_unfinished(const Run *run, const SvmModel *whole, const SvmPairs *pairs,
                            const SvmSamples *samples) {
    const CheckpointInfo facts = {.config = run->config};
    Status status = {0};
    SvmModel *part = svm_model_create(&whole->kernel, whole->present, pairs, samples);
    checkpoint_save(run->path, run->comm, &facts, svm_model_write, part, &status);
    assert_int_equal(status.code, STATUS_OK);
    svm_model_destroy(&part);
}

/* A checkpoint with some of the pairs, made from a whole model. */
static void save_part(const Run *run, const SvmModel *whole, const ImageSet *all) {
    SvmPairs pairs = svm_pairs_new(10);
    for (int p = 0; p < 45; p += 2) {
        pairs.items[p] = whole->pairs.items[p];
        pairs.items[p].support =
            mem_new((size_t)pairs.items[p].support_count, sizeof *pairs.items[p].support);
        for (int64_t s = 0; s < pairs.items[p].support_count; s++)
            pairs.items[p].support[s] = whole->origin[whole->pairs.items[p].support[s]].image;
    }
    const SvmSamples samples = {.set = *all};
    save_unfinished(run, whole, &pairs, &samples);
    for (int p = 0; p < 45; p++)
        mem_free(pairs.items[p].support);
    mem_free(pairs.items);
}

static void save_virtual_part(const Run *run, const SvmModel *whole, const SvmSamples *samples) {
    SvmPairs pairs = svm_pairs_new(10);
    const int number = svm_pair_number(10, 3, 8);
    pairs.items[number] = whole->pairs.items[number];
    pairs.items[number].support = mem_new((size_t)pairs.items[number].support_count, sizeof(int32_t));
    for (int64_t s = 0; s < pairs.items[number].support_count; s++)
        pairs.items[number].support[s] =
            (int32_t)svm_sample_number(samples, whole->origin[whole->pairs.items[number].support[s]]);
    save_unfinished(run, whole, &pairs, samples);
    mem_free(pairs.items[number].support);
    mem_free(pairs.items);
}

static void assert_is_unfinished(const Run *run, H5File **file) {
    Status status = {0}, loading = {0};
    bool complete;
    assert_int_equal(checkpoint_open(run->path, run->comm, file, &status), STATUS_OK);
    assert_int_equal(checkpoint_is_complete(*file, &complete, &status), STATUS_OK);
    assert_false(complete);
    Model model = ref_model_load(run->comm, run->path, run->config, &loading);
    assert_int_equal(loading.code, STATUS_FAILED);
    assert_non_null(strstr(loading.text, "--resume"));
    model_close(&model);
}

static void resuming_leads_to_the_same_model(void **state) {
    ImageSet all = ref_digits("train", "0123456789", 30, 0);
    Run run = run_new(*state);
    Status status = {0};
    H5File *file;
    char digests[2][65];
    assert_int_equal(train(&run, &all, 2, NULL, &status), STATUS_OK);
    SvmModel *whole = read_model(&run, digests[0]);
    assert_int_equal(svm_pairs_solved(&whole->pairs), 45);
    save_part(&run, whole, &all);
    assert_is_unfinished(&run, &file);
    assert_int_equal(train(&run, &all, 1, file, &status), STATUS_OK);
    SvmModel *resumed = read_model(&run, digests[1]);
    assert_string_equal(digests[0], digests[1]);
    svm_model_destroy(&resumed);
    svm_model_destroy(&whole);
    run_free(&run);
    image_set_free(&all);
}

/* Each support vector is its training image moved by its shift, pixel by pixel, and then perhaps its
 * features.
 */
static void check_shifts(const SvmModel *model, const ImageSet *all, int largest, bool gradient) {
    int64_t moved = 0;
    for (int64_t k = 0; k < model->n; k++) {
        const SvmSample origin = model->origin[k];
        const uint8_t *from = all->images + origin.image * (int64_t)IMAGE_PIXELS;
        uint8_t expected[IMAGE_PIXELS] = {0};
        assert_true(abs(origin.x) <= largest && abs(origin.y) <= largest);
        assert_true(origin.x == 0 || origin.y == 0 || abs(origin.x) == abs(origin.y));
        assert_int_equal(model->labels[k], all->labels[origin.image]);
        for (int y = 0; y < IMAGE_SIDE; y++)
            for (int x = 0; x < IMAGE_SIDE; x++) {
                int sx = x - origin.x, sy = y - origin.y;
                bool inside = sx >= 0 && sx < IMAGE_SIDE && sy >= 0 && sy < IMAGE_SIDE;
                if (inside) expected[y * IMAGE_SIDE + x] = from[sy * IMAGE_SIDE + sx];
            }
        if (gradient) gradient_features(all->spec, expected, 1, 1);
        assert_memory_equal(model->images + k * IMAGE_PIXELS, expected, IMAGE_PIXELS);
        moved += origin.x != 0 || origin.y != 0;
    }
    assert_true(moved > 0);
}

static void check_virtual(const Comm *comm, bool gradient) {
    ImageSet all = ref_digits("train", "358", 60, 0);
    Run run = run_new(comm);
    Status status = {0};
    H5File *file;
    char digests[2][65];
    config_set_value(run.config, "svm.kernel", "poly", "test", &status);
    config_set_value(run.config, "svm.normalize", "yes", "test", &status);
    config_set_value(run.config, "svm.features", gradient ? "gradient" : "pixels", "test", &status);
    set(&run, "svm.gamma", 0.5);
    set(&run, "svm.coef0", 0.5);
    set(&run, "svm.degree", 9);
    set(&run, "svm.c", 2);
    assert_int_equal(train(&run, &all, 2, NULL, &status), STATUS_OK);
    SvmModel *first = read_model(&run, digests[0]);
    set(&run, "svm.virtual", 2);
    set(&run, "svm.checkpoint_s", 0);
    assert_int_equal(train(&run, &all, 2, NULL, &status), STATUS_OK);
    SvmModel *second = read_model(&run, digests[0]);
    assert_int_equal(second->from_count, first->n);
    for (int64_t k = 0; k < first->n; k++)
        assert_int_equal(second->from[k], first->origin[k].image);
    SvmSamples samples = svm_samples_shifted(&all, second->from, second->from_count, 2, gradient, 2);
    assert_int_equal(samples.set.n, 17 * first->n);
    check_shifts(second, &all, 2, gradient);
    for (int p = 0; p < 45; p++)
        if (second->pairs.items[p].solved) check_pair_of(&run, &samples, second, p);
    save_virtual_part(&run, second, &samples);
    assert_is_unfinished(&run, &file);
    assert_int_equal(train(&run, &all, 1, file, &status), STATUS_OK);
    SvmModel *resumed = read_model(&run, digests[1]);
    assert_string_equal(digests[0], digests[1]);
    svm_model_destroy(&resumed);
    svm_samples_free(&samples);
    svm_model_destroy(&second);
    svm_model_destroy(&first);
    run_free(&run);
    image_set_free(&all);
}

static void virtual_support_vectors_are_trained_again(void **state) {
    check_virtual(*state, false);
    check_virtual(*state, true);
}

static void gather_records(void *context, const void *mine, int64_t bytes, void *all) {
    comm_gather(context, mine, bytes, all);
}

typedef struct {
    bool may_stop;
    int asked;
} Question;

static bool third_question(void *context) {
    Question *question = context;
    return ++question->asked >= 3 && question->may_stop;
}

/* One rank of those that solve a problem together wants to stop: all do. */
static void an_interrupted_rank_stops_its_group(void **state) {
    Comm *comm = *state;
    enum { N = 200 };
    const SvmKernel kernel = {SVM_RBF, 0.02, 0, 3, false};
    ImageSet all = ref_digits("train", "49", N / 2, 0);
    RefSvmRows rows = ref_svm_rows_new(&kernel, all.images, N, 784);
    Question question = {comm_rank(comm) == comm_size(comm) - 1, 0};
    float diagonal[N];
    int8_t y[N];
    for (int i = 0; i < N; i++) {
        diagonal[i] = 1;
        y[i] = all.labels[i] == 4 ? 1 : -1;
    }
    SvmProblem problem = {.n = N, .y = y, .diagonal = diagonal, .rows = ref_svm_rows(&rows), .c = 10};
    problem.eps = 1e-6;
    problem.group = (SvmGroup){comm_rank(comm), comm_size(comm), gather_records, comm};
    problem.interrupted = third_question;
    problem.interrupt_context = &question;
    SvmSolution solution;
    assert_false(svm_solve(&problem, &solution));
    assert_int_equal(question.asked, 3);
    ref_svm_rows_free(&rows);
    image_set_free(&all);
}

/* The last test: a signal can't be taken back. */
static void a_signal_on_one_rank_stops_all(void **state) {
    const Comm *comm = *state;
    ImageSet all = ref_digits("train", "0123456789", 300, 0);
    Run run = run_new(comm);
    Status status = {0}, closing = {0};
    H5File *file;
    stop_install();
    if (comm_rank(comm) == comm_size(comm) - 1) raise(SIGUSR1);
    assert_int_equal(train(&run, &all, 2, NULL, &status), STATUS_STOPPED);
    assert_is_unfinished(&run, &file);
    assert_int_equal(h5_close(&file, &closing), STATUS_OK);
    /* and ranks that solve one pair together */
    ImageSet two = ref_digits("train", "49", 300, 0);
    Status again = {0};
    assert_int_equal(train(&run, &two, 2, NULL, &again), STATUS_STOPPED);
    image_set_free(&two);
    run_free(&run);
    image_set_free(&all);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(three_digits_are_told_apart_as_by_libsvm, comm),
        cmocka_unit_test_prestate(two_digits_make_one_pair, comm),
        cmocka_unit_test_prestate(one_digit_is_refused, comm),
        cmocka_unit_test_prestate(an_overflowing_kernel_is_refused, comm),
        cmocka_unit_test_prestate(resuming_leads_to_the_same_model, comm),
        cmocka_unit_test_prestate(virtual_support_vectors_are_trained_again, comm),
        cmocka_unit_test_prestate(an_interrupted_rank_stops_its_group, comm),
        cmocka_unit_test_prestate(a_signal_on_one_rank_stops_all, comm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
