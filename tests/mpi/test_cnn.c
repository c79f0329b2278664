/* Training of a tiny network on made-up images: the same model for any number of threads, stopped or not;
 * metrics; refusals. */
#include "../../src/cnn/members.h"
#include "../../src/cnn/network.h"

#include "pardigits/checkpoint.h"
#include "pardigits/family.h"
#include "pardigits/mem.h"
#include "pardigits/rng.h"
#include "pardigits/stop.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TRAIN = 203, VALID = 30, EPOCHS = 3, STEPS = 5 }; /* steps of 48 images, the last one of 11 */

typedef struct {
    const Comm *comm;
    char folder[200];
    char model[256], metrics[256];
} Place;

static void make_folder(Place *place) {
    const char *temporary = getenv("TMPDIR");
    snprintf(place->folder, sizeof place->folder, "%s/pardigits-cnn-XXXXXX", temporary ? temporary : "/tmp");
    if (comm_rank(place->comm) == 0 && !mkdtemp(place->folder)) fatal("no folder %s", place->folder);
    comm_broadcast(place->comm, place->folder, sizeof place->folder, 0);
    snprintf(place->model, sizeof place->model, "%s/model.h5", place->folder);
    snprintf(place->metrics, sizeof place->metrics, "%s/metrics.h5", place->folder);
}

/* After all ranks are done with the files. */
static void clear_folder(const Place *place, bool remove_it) {
    static const char *const names[] = {"model.h5", "model.prev.h5", "metrics.h5"};
    comm_barrier(place->comm);
    if (comm_rank(place->comm) == 0) {
        for (int i = 0; i < 3; i++) {
            char path[256];
            snprintf(path, sizeof path, "%s/%s", place->folder, names[i]);
            unlink(path);
        }
        if (remove_it) rmdir(place->folder);
    }
    comm_barrier(place->comm);
}

/* Noise with a bright bar at a height that depends on the label. */
static ImageSet make_images(int64_t first, int64_t n) {
    ImageSet set = {n, mem_new((size_t)n, IMAGE_PIXELS), mem_new((size_t)n, 1)};
    for (int64_t i = 0; i < n; i++) {
        set.labels[i] = (uint8_t)((first + i) * 7 % CLASSES);
        for (int p = 0; p < IMAGE_PIXELS; p++) {
            uint32_t bits[4];
            rng_u32x4((RngKey){2, RNG_TEST}, 0, (uint64_t)(first + i), (uint32_t)p, bits);
            bool bar = p / IMAGE_SIDE / 2 == set.labels[i] + 2;
            set.images[i * IMAGE_PIXELS + p] = (uint8_t)(bits[0] % 64 + (bar ? 150 : 0));
        }
    }
    return set;
}

static const char layers[] = "cnn.layers=conv:4:3 bn relu pool:3 dropout:0.2 dense:12 bn relu dense:10";

static Config *make_config(const char *const *changes, int count) {
    static const char *const common[] = {"run.model=cnn", "cnn.epochs=3", "cnn.batch=48",       "cnn.leaf=4",
                                         "cnn.rotate=10", "cnn.shift=1",  "cnn.checkpoint_s=0", layers};
    Config *config = config_create();
    Status status = {0};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        config_set(config, common[i], "test", &status);
    for (int i = 0; i < count; i++)
        config_set(config, changes[i], "test", &status);
    if (status.code) fail_msg("%s", status.text);
    return config;
}

/* Trains on train_count images; goes on from the file that is there if resume. */
static StatusCode train_count(const Place *place, const Config *config, int threads, int64_t count,
                              bool resume, Status *status) {
    const Comm *comm = place->comm;
    Range own = partition_range(count, comm_size(comm), comm_rank(comm));
    Log log = {.speaks = false};
    H5File *file = NULL;
    TrainJob job = {.comm = comm, .config = config, .log = &log, .threads = threads, .train_count = count};
    job.shard = make_images(own.begin, range_size(own));
    job.valid = make_images(1000, VALID);
    job.model_path = place->model;
    if (resume) checkpoint_open_newest(place->model, comm, &file, status);
    job.resume = file;
    if (comm_rank(comm) == 0) metrics_open(&job.metrics, place->metrics, config, resume, status);
    if (!comm_agree(comm, status)) cnn_family.train(&job, status);
    metrics_destroy(&job.metrics);
    Status ignored = {0};
    h5_close(&file, &ignored);
    image_set_free(&job.shard);
    image_set_free(&job.valid);
    return status->code;
}

static void digest_of(const Place *place, char hex[65]) {
    H5File *file = NULL;
    Status status = {0};
    bool complete = false;
    checkpoint_open(place->model, place->comm, &file, &status);
    if (!status.code) checkpoint_is_complete(file, &complete, &status);
    if (!status.code) h5_digest(file, hex, &status);
    h5_close(&file, &status);
    if (status.code) fail_msg("%s", status.text);
    assert_true(complete);
}

/* A finished training from the start, and its digest. */
static void train_whole(const Place *place, const Config *config, int threads, char hex[65]) {
    Status status = {0};
    clear_folder(place, false);
    if (train_count(place, config, threads, TRAIN, false, &status)) fail_msg("%s", status.text);
    digest_of(place, hex);
}

static void check_metrics(const Place *place, double least_accuracy) {
    H5File *file = NULL;
    MetricsTable steps = {0}, epochs = {0};
    Status status = {0};
    h5_open(&file, place->metrics, NULL, &status);
    if (!status.code) metrics_read_table(file, "/steps", &steps, &status);
    if (!status.code) metrics_read_table(file, "/epochs", &epochs, &status);
    h5_close(&file, &status);
    if (status.code) fail_msg("%s", status.text);
    assert_int_equal(steps.rows, EPOCHS * STEPS);
    for (int64_t i = 0; i < steps.rows; i++) {
        assert_int_equal((int)steps.values[i * steps.columns], i + 1);
        assert_int_equal((int)steps.values[i * steps.columns + 1], i / STEPS + 1);
    }
    assert_int_equal(epochs.rows, EPOCHS);
    if (!epochs.values) return;                                         /* never: for the analyser */
    const double *last = epochs.values + (EPOCHS - 1) * epochs.columns; /* epoch, loss, two accuracies */
    assert_true(last[1] < epochs.values[1]);
    assert_true(last[2] > least_accuracy && last[2] <= 1);
    assert_true(last[3] > least_accuracy && last[3] <= 1);
    metrics_free_table(&steps);
    metrics_free_table(&epochs);
}

/* What training has beside the defaults. */
static const char *const recipe[] = {"cnn.ema=0.9", "cnn.label_smoothing=0.1", "cnn.shear=5", "cnn.elastic=1",
                                     "cnn.lars=0.2"};

static void check_threads(const Place *place, const char *const *changes, int count, double least_accuracy) {
    Config *config = make_config(changes, count);
    char one[65], several[65];
    train_whole(place, config, 1, one);
    for (int threads = 2; threads <= 3; threads++) {
        train_whole(place, config, threads, several);
        assert_string_equal(several, one);
    }
    check_metrics(place, least_accuracy);
    config_destroy(&config);
}

static void test_threads(void **state) {
    check_threads(*state, NULL, 0, 0.5);
    check_threads(*state, recipe, sizeof recipe / sizeof *recipe, 0.2);
}

/* Loads the model and recognises new images; the same for any number of threads. */
static void test_prediction(void **state) {
    const Place *place = *state;
    Config *config = make_config(NULL, 0), *stored = NULL;
    char hex[65];
    H5File *file = NULL;
    void *model = NULL;
    Status status = {0};
    train_whole(place, config, 2, hex);
    checkpoint_open(place->model, place->comm, &file, &status);
    checkpoint_config(file, &stored, &status);
    if (cnn_family.load(&model, file, stored, place->comm, &status)) fail_msg("%s", status.text);
    for (int64_t n = 0; n <= 100; n = n * 2 + 1) {
        ImageSet images = make_images(2000, n);
        Prediction *one = mem_new((size_t)n, sizeof *one), *two = mem_new((size_t)n, sizeof *two);
        cnn_family.predict(model, place->comm, 1, images.images, n, one, &status);
        cnn_family.predict(model, place->comm, 2, images.images, n, two, &status);
        int64_t correct = 0;
        for (int64_t i = 0; i < n; i++) {
            correct += one[i].label == images.labels[i];
            assert_int_equal(one[i].label, two[i].label);
            assert_memory_equal(&one[i].confidence, &two[i].confidence, sizeof one[i].confidence);
            assert_true(one[i].confidence >= 0.1f && one[i].confidence <= 1);
        }
        assert_true(correct * 2 >= n);
        image_set_free(&images);
        mem_free(one);
        mem_free(two);
    }
    char text[256];
    cnn_family.describe(file, stored, text, sizeof text);
    assert_non_null(strstr(text, "3 of 3 epochs"));
    cnn_family.destroy(&model);
    h5_close(&file, &status);
    config_destroy(&stored);
    config_destroy(&config);
}

/* A file whose arrays aren't those of its configuration is refused on all ranks, with the array's name. */
static void test_foreign_content(void **state) {
    const Place *place = *state;
    const char *const other[] = {"cnn.layers=conv:5:3 bn relu pool:3 dense:10"};
    Config *config = make_config(NULL, 0), *changed = make_config(other, 1);
    char hex[65];
    H5File *file = NULL;
    void *model = NULL;
    Status status = {0}, refused = {0};
    train_whole(place, config, 1, hex);
    checkpoint_open(place->model, place->comm, &file, &status);
    assert_int_equal(cnn_family.load(&model, file, changed, place->comm, &refused), STATUS_FAILED);
    assert_non_null(strstr(refused.text, "conv1/weight"));
    assert_null(model);
    h5_close(&file, &status);
    config_destroy(&changed);
    config_destroy(&config);
}

/* Fewer samples than ranks and than a leaf: ranks without work. */
static void test_few_samples(void **state) {
    const Place *place = *state;
    Config *config = make_config(NULL, 0);
    char hex[65];
    for (int64_t count = 1; count <= 3; count++) {
        Status status = {0};
        clear_folder(place, false);
        if (train_count(place, config, 2, count, false, &status)) fail_msg("%s", status.text);
        digest_of(place, hex);
    }
    config_destroy(&config);
}

static void expect_refusal(const Place *place, const char *const *changes, int count, StatusCode code,
                           const char *part) {
    Config *config = make_config(changes, count);
    Status status = {0};
    clear_folder(place, false);
    if (!cnn_family.check(config, &status)) train_count(place, config, 1, TRAIN, false, &status);
    assert_int_equal(status.code, code);
    if (!strstr(status.text, part)) fail_msg("'%s' instead of '%s'", status.text, part);
    config_destroy(&config);
}

static void test_refusals(void **state) {
    const char *const odd_leaf[] = {"cnn.leaf=12"}, *const leaves[] = {"cnn.leaf=1", "cnn.batch=5000"};
    const char *const bad_layers[] = {"cnn.layers=conv:4:30 dense:10"};
    const char *const diverging[] = {"cnn.lr=1000", "cnn.schedule=constant",
                                     "cnn.layers=dense:50 relu dense:10"};
    const char *const no_ensemble[] = {"cnn.member_preprocess=none deskew"};
    const char *const twice[] = {no_ensemble[0], "cnn.members=2", "run.preprocess=deskew"};
    const char *const unknown[] = {"cnn.member_preprocess=none wide", "cnn.members=2"};
    expect_refusal(*state, no_ensemble, 1, STATUS_USAGE, "cnn.members");
    expect_refusal(*state, twice, 3, STATUS_USAGE, "replaces run.preprocess");
    const char *const too_many[] = {"cnn.member_preprocess=none width deskew", "cnn.members=2"};
    expect_refusal(*state, too_many, 2, STATUS_USAGE, "3 entries for 2 members");
    const char *const one_net[] = {"cnn.member_layers=dense:10 | conv:4:3 relu dense:10"};
    const char *const bad_net[] = {"cnn.member_layers=dense:10 | conv:4:30 dense:10", "cnn.members=2"};
    const char *const no_net[] = {"cnn.member_layers=dense:10 |", "cnn.members=2"};
    expect_refusal(*state, one_net, 1, STATUS_USAGE, "cnn.members");
    expect_refusal(*state, bad_net, 2, STATUS_USAGE, "conv:4:30");
    expect_refusal(*state, no_net, 2, STATUS_USAGE, "empty");
    expect_refusal(*state, unknown, 2, STATUS_USAGE, "wide");
    expect_refusal(*state, odd_leaf, 1, STATUS_USAGE, "power of two");
    expect_refusal(*state, leaves, 2, STATUS_USAGE, "larger leaf");
    expect_refusal(*state, bad_layers, 1, STATUS_USAGE, "conv:4:30");
    expect_refusal(*state, diverging, 3, STATUS_FAILED, "lower cnn.lr");
}

static const char *const ensemble[] = {"cnn.members=3", "cnn.ema=0.8", "cnn.epochs=2"};
enum { MEMBERS = 3 };

/* An array of the model that is there, of a member of an ensemble or (-1) of a plain network. */
static void read_weights(const Place *place, int member, float weights[36]) {
    H5File *file = NULL;
    Status status = {0};
    char path[96] = "/model/conv1/weight";
    if (member >= 0) snprintf(path, sizeof path, "/model/members/%d/conv1/weight", member);
    checkpoint_open(place->model, place->comm, &file, &status);
    if (!status.code) h5_read(file, path, H5_F32, (H5Shape){4, {3, 3, 1, 4}}, weights, &status);
    h5_close(&file, &status);
    if (status.code) fail_msg("%s", status.text);
}

/* Each member is the plain network of its seed, whoever trained it; metrics name the members. */
static void test_members(void **state) {
    const Place *place = *state;
    Config *config = make_config(ensemble, sizeof ensemble / sizeof *ensemble);
    char hex[65], seed[32];
    float members[MEMBERS][36], alone[36];
    MetricsTable epochs = {0};
    H5File *file = NULL;
    Status status = {0};
    train_whole(place, config, 2, hex);
    for (int m = 0; m < MEMBERS; m++)
        read_weights(place, m, members[m]);
    h5_open(&file, place->metrics, NULL, &status);
    metrics_read_table(file, "/epochs", &epochs, &status);
    h5_close(&file, &status);
    assert_int_equal(epochs.rows, MEMBERS * 2);
    for (int64_t i = 0; i < epochs.rows; i++) {
        assert_int_equal((int)epochs.values[i * epochs.columns], i / 2);
        assert_int_equal((int)epochs.values[i * epochs.columns + 1], i % 2 + 1);
    }
    metrics_free_table(&epochs);
    for (int m = 0; m < MEMBERS; m++) {
        snprintf(seed, sizeof seed, "run.seed=%u", members_seed(1, m));
        const char *const plain[] = {"cnn.ema=0.8", "cnn.epochs=2", seed};
        Config *member = make_config(plain, 3);
        train_whole(place, member, 1, hex);
        read_weights(place, -1, alone);
        assert_memory_equal(alone, members[m], sizeof alone);
        for (int other = 0; other < m; other++)
            assert_memory_not_equal(members[other], members[m], sizeof alone);
        config_destroy(&member);
    }
    config_destroy(&config);
}

/* Only the second member is trained on other images. */
static void test_member_preprocess(void **state) {
    Config *config = make_config(ensemble, sizeof ensemble / sizeof *ensemble);
    Status status = {0};
    char hex[65];
    float same[MEMBERS][36], other[MEMBERS][36];
    train_whole(*state, config, 2, hex);
    for (int m = 0; m < MEMBERS; m++)
        read_weights(*state, m, same[m]);
    config_set(config, "cnn.member_preprocess=none deskew none", "test", &status);
    assert_int_equal(status.code, STATUS_OK);
    train_whole(*state, config, 2, hex);
    for (int m = 0; m < MEMBERS; m++)
        read_weights(*state, m, other[m]);
    assert_memory_equal(same[0], other[0], sizeof same[0]);
    assert_memory_not_equal(same[1], other[1], sizeof same[1]);
    assert_memory_equal(same[2], other[2], sizeof same[2]);
    config_destroy(&config);
}

/* The first K members of an ensemble are used, but not more than there are. */
static void test_some_members(void **state) {
    const Place *place = *state;
    Config *config = make_config(ensemble, sizeof ensemble / sizeof *ensemble);
    char hex[65];
    H5File *file = NULL;
    Status status = {0};
    train_whole(place, config, 2, hex);
    checkpoint_open(place->model, place->comm, &file, &status);
    ImageSet images = make_images(3000, 20);
    Prediction out[3][20];
    for (int k = 1; k <= 4; k++) {
        char use[32];
        void *model = NULL;
        snprintf(use, sizeof use, "cnn.use_members=%d", k % 4);
        config_set(config, use, "test", &status);
        StatusCode code = cnn_family.load(&model, file, config, place->comm, &status);
        if (code) fail_msg("%s", status.text);
        if (k < 4) cnn_family.predict(model, place->comm, 1, images.images, 20, out[k - 1], &status);
        cnn_family.destroy(&model);
    }
    assert_true(out[0][0].confidence != out[1][0].confidence && out[1][0].confidence != out[2][0].confidence);
    void *model = NULL;
    config_set(config, "cnn.use_members=4", "test", &status);
    assert_int_equal(cnn_family.load(&model, file, config, place->comm, &status), STATUS_USAGE);
    assert_null(model);
    image_set_free(&images);
    Status ignored = {0};
    h5_close(&file, &ignored);
    config_destroy(&config);
}

/* After the signal training stops after each step, again and again: the resumed runs end in the same model.
 */
static void check_resumed(const Place *place, const Config *config, const char *whole) {
    char pieces[65];
    clear_folder(place, false);
    int stops = 0;
    for (StatusCode code = STATUS_STOPPED; code != STATUS_OK; stops += code == STATUS_STOPPED) {
        Status status = {0};
        code = train_count(place, config, 1 + stops % 2, TRAIN, stops > 0, &status);
        if (code != STATUS_OK && code != STATUS_STOPPED) fail_msg("%s", status.text);
        assert_true(stops <= EPOCHS * STEPS);
    }
    assert_int_equal(stops, EPOCHS * STEPS);
    digest_of(place, pieces);
    assert_string_equal(pieces, whole);
    check_metrics(place, 0.2);
}

/* The same for an ensemble, whose groups of ranks stop together; at each stop each of them makes one step. */
static void check_resumed_ensemble(const Place *place, const Config *config, const char *whole) {
    char pieces[65];
    int stops = 0;
    clear_folder(place, false);
    for (StatusCode code = STATUS_STOPPED; code != STATUS_OK; stops++) {
        Status status = {0};
        code = train_count(place, config, 1 + stops % 2, TRAIN, stops > 0, &status);
        if (code != STATUS_OK && code != STATUS_STOPPED) fail_msg("%s", status.text);
        assert_true(stops <= MEMBERS * 2 * STEPS);
    }
    assert_true(stops > 2 * STEPS);
    digest_of(place, pieces);
    assert_string_equal(pieces, whole);
}

/* A signal on the last rank stops all. Comes last, because a signal isn't forgotten. */
static void test_stop_and_resume(void **state) {
    const Place *place = *state;
    Config *plain = make_config(NULL, 0), *rich = make_config(recipe, sizeof recipe / sizeof *recipe),
           *several = make_config(ensemble, sizeof ensemble / sizeof *ensemble);
    char whole[65], whole_rich[65], whole_several[65];
    train_whole(place, plain, 2, whole);
    train_whole(place, rich, 2, whole_rich);
    train_whole(place, several, 2, whole_several);
    if (comm_rank(place->comm) == comm_size(place->comm) - 1) raise(SIGUSR1);
    check_resumed(place, plain, whole);
    check_resumed(place, rich, whole_rich);
    check_resumed_ensemble(place, several, whole_several);
    config_destroy(&plain);
    config_destroy(&rich);
    config_destroy(&several);
}

int main(int argc, char **argv) {
    Place place = {.comm = comm_init(&argc, &argv)};
    stop_install();
    make_folder(&place);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_threads, &place),
        cmocka_unit_test_prestate(test_prediction, &place),
        cmocka_unit_test_prestate(test_foreign_content, &place),
        cmocka_unit_test_prestate(test_few_samples, &place),
        cmocka_unit_test_prestate(test_refusals, &place),
        cmocka_unit_test_prestate(test_members, &place),
        cmocka_unit_test_prestate(test_member_preprocess, &place),
        cmocka_unit_test_prestate(test_some_members, &place),
        cmocka_unit_test_prestate(test_stop_and_resume, &place),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clear_folder(&place, true);
    comm_finalize((Comm **)&place.comm);
    return failed;
}
