/* Ensembles of a tiny network: each member is the plain network of its seed, whichever group of ranks trained
 * it; refusals. */
#include "ref/cnn_run.h"
#include "ref/ref_model.h"

#include "ensemble/members_config.h"
#include "parallel/stop.h"
#include "store/checkpoint.h"
#include "store/dataset.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MEMBERS = 3, EPOCHS = 2 };

static const char *const ensemble[] = {"cnn.members=3", "cnn.ema=0.8", "cnn.epochs=2"};

/* An array of the model that is there, of a member of an ensemble or (-1) of a plain network. */
static void read_weights(const CnnRun *run, int member, float weights[36]) {
    H5File *file = NULL;
    Status status = {0};
    char path[96] = "/model/conv1/weight";
    if (member >= 0) snprintf(path, sizeof path, "/model/members/%d/conv1/weight", member);
    checkpoint_open(run->model, run->comm, &file, &status);
    if (!status.code) h5_read(file, path, H5_F32, (H5Shape){4, {3, 3, 1, 4}}, weights, &status);
    h5_close(&file, &status);
    if (status.code) fail_msg("%s", status.text);
}

/* The plain network that member m of an ensemble is, with two changes (the second may be NULL). */
static Config *plain_config(int m, const char *change, const char *other_change) {
    char seed[32];
    snprintf(seed, sizeof seed, "run.seed=%u", members_seed(1, m));
    const char *const plain[] = {"cnn.ema=0.8", "cnn.epochs=2", seed, change, other_change};
    return cnn_run_config(plain, other_change ? 5 : 4);
}

static void check_metrics(const CnnRun *run) {
    MetricsTable epochs = {0};
    H5File *file = NULL;
    Status status = {0};
    h5_open(&file, run->metrics, &status);
    metrics_read_table(file, "/epochs", &epochs, &status);
    h5_close(&file, &status);
    assert_int_equal(epochs.rows, MEMBERS * EPOCHS);
    for (int64_t i = 0; i < epochs.rows; i++) {
        assert_int_equal((int)epochs.values[i * epochs.columns], i / EPOCHS);
        assert_int_equal((int)epochs.values[i * epochs.columns + 1], i % EPOCHS + 1);
    }
    metrics_free_table(&epochs);
}

/* Each member is the plain network of its seed, whoever trained it; metrics name the members. */
static void test_members(void **state) {
    const CnnRun *run = *state;
    Config *config = cnn_run_config(ensemble, sizeof ensemble / sizeof *ensemble);
    char hex[65];
    float members[MEMBERS][36], alone[36];
    cnn_run_train_whole(run, config, 2, hex);
    check_metrics(run);
    for (int m = 0; m < MEMBERS; m++)
        read_weights(run, m, members[m]);
    for (int m = 0; m < MEMBERS; m++) {
        Config *member = plain_config(m, "run.preprocess=none", NULL);
        cnn_run_train_whole(run, member, 1, hex);
        read_weights(run, -1, alone);
        assert_memory_equal(alone, members[m], sizeof alone);
        for (int other = 0; other < m; other++)
            assert_memory_not_equal(members[other], members[m], sizeof alone);
        config_destroy(&member);
    }
    config_destroy(&config);
}

/* Trains the ensemble; each of its members is the plain network with two changes of its own. */
static void expect_members(const CnnRun *run, const Config *config, const char *const own[MEMBERS][2]) {
    char hex[65];
    float members[MEMBERS][36], alone[36];
    cnn_run_train_whole(run, config, 2, hex);
    for (int m = 0; m < MEMBERS; m++)
        read_weights(run, m, members[m]);
    for (int m = 0; m < MEMBERS; m++) {
        Config *member = plain_config(m, own[m][0], own[m][1]);
        cnn_run_train_whole(run, member, 1, hex);
        read_weights(run, -1, alone);
        assert_memory_equal(alone, members[m], sizeof alone);
        config_destroy(&member);
    }
}

/* The second of three members sees its images in a way of its own, the third is another network. */
static void test_different_members(void **state) {
    static const char one[] = "cnn.layers=conv:4:3 relu pool:3 dense:classes",
                      other[] = "cnn.layers=conv:4:3 bn relu dropout:0.1 dense:classes";
    static const char *const own[MEMBERS][2] = {
        {"run.preprocess=none", one}, {"run.preprocess=deskew", one}, {"run.preprocess=none", other}};
    Config *config = cnn_run_config(ensemble, sizeof ensemble / sizeof *ensemble);
    Status status = {0};
    char nets[200];
    const char *list = strchr(one, '=') + 1;
    snprintf(nets, sizeof nets, "cnn.member_layers=%s | %s | %s", list, list, strchr(other, '=') + 1);
    config_set(config, "cnn.member_preprocess=none deskew none", "test", &status);
    config_set(config, nets, "test", &status);
    assert_int_equal(status.code, STATUS_OK);
    expect_members(*state, config, own);
    config_destroy(&config);
}

/* The first of three members is trained with two keys of its own, the second with two others, the third with
 * none. */
static void test_members_of_own_settings(void **state) {
    static const char *const own[MEMBERS][2] = {
        {"cnn.epochs=1", "cnn.lr=0.05"}, {"cnn.batch=24", "cnn.shift=0"}, {"cnn.epochs=2", "cnn.lr=0.1"}};
    Config *config = cnn_run_config(ensemble, sizeof ensemble / sizeof *ensemble);
    Status status = {0};
    config_set(config, "cnn.member_settings=epochs=1 lr=0.05|  batch=24  shift=0 |", "test", &status);
    assert_int_equal(status.code, STATUS_OK);
    expect_members(*state, config, own);
    config_destroy(&config);
}

/* The first K members of an ensemble are used, but not more than there are. */
static void test_some_members(void **state) {
    const CnnRun *run = *state;
    Config *config = cnn_run_config(ensemble, sizeof ensemble / sizeof *ensemble);
    char hex[65];
    Status status = {0}, refused = {0};
    cnn_run_train_whole(run, config, 2, hex);
    ImageSet images = cnn_run_images(3000, 20);
    Prediction out[3][20];
    for (int k = 1; k <= 4; k++) {
        char use[32];
        snprintf(use, sizeof use, "cnn.use_members=%d", k % 4);
        config_set(config, use, "test", &status);
        Model model = ref_model_load(run->comm, run->model, config, &status);
        if (status.code) fail_msg("%s", status.text);
        if (k < 4) ref_model_predict(&model, run->comm, 1, &images, out[k - 1]);
        model_close(&model);
    }
    assert_true(out[0][0].confidence != out[1][0].confidence && out[1][0].confidence != out[2][0].confidence);
    config_set(config, "cnn.use_members=4", "test", &status);
    Model model = ref_model_load(run->comm, run->model, config, &refused);
    assert_int_equal(refused.code, STATUS_USAGE);
    model_close(&model);
    image_set_free(&images);
    config_destroy(&config);
}

static void test_refusals(void **state) {
    const char *const one_member[] = {"cnn.member_preprocess=none deskew"};
    const char *const twice[] = {one_member[0], "cnn.members=2", "run.preprocess=deskew"};
    const char *const too_many[] = {"cnn.member_preprocess=none width deskew", "cnn.members=2"};
    const char *const unknown[] = {"cnn.member_preprocess=none wide", "cnn.members=2"};
    cnn_run_expect_refusal(*state, one_member, 1, STATUS_USAGE, "cnn.members");
    cnn_run_expect_refusal(*state, twice, 3, STATUS_USAGE, "replaces run.preprocess");
    cnn_run_expect_refusal(*state, too_many, 2, STATUS_USAGE, "3 entries for 2 members");
    cnn_run_expect_refusal(*state, unknown, 2, STATUS_USAGE, "wide");
    const char *const one_net[] = {"cnn.member_layers=dense:classes | conv:4:3 relu dense:classes"};
    const char *const bad_net[] = {"cnn.member_layers=dense:classes | conv:4:30 dense:classes",
                                   "cnn.members=2"};
    const char *const no_net[] = {"cnn.member_layers=dense:classes |", "cnn.members=2"};
    cnn_run_expect_refusal(*state, one_net, 1, STATUS_USAGE, "cnn.members");
    cnn_run_expect_refusal(*state, bad_net, 2, STATUS_USAGE, "conv:4:30");
    cnn_run_expect_refusal(*state, no_net, 2, STATUS_USAGE, "empty");
}

static void test_refusals_of_own_settings(void **state) {
    static const struct {
        const char *settings, *part;
    } cases[] = {
        {"cnn.member_settings=epochs=1 | epoch=2", "epoch=2 isn't a key"},
        {"cnn.member_settings=epochs=0", "cnn.epochs = 0"},
        {"cnn.member_settings=epochs", "such as epochs=12"},
        {"cnn.member_settings=members=3", "members=3 isn't"},
        {"cnn.member_settings=layers=dense:classes", "layers=dense:classes isn't"},
        {"cnn.member_settings=checkpoint_s=5", "checkpoint_s=5 isn't"},
        {"cnn.member_settings=cnn.epochs=3", "cnn.epochs=3 isn't"},
        {"cnn.member_settings=epochs=3 lr=1 epochs=2", "cnn.epochs is set twice"},
        {"cnn.member_settings= | micro_batch=24", "power of two"},
        {"cnn.member_settings= | | epochs=1", "3 entries for 2 members"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const changes[] = {cases[i].settings, "cnn.members=2"};
        cnn_run_expect_refusal(*state, changes, 2, STATUS_USAGE, cases[i].part);
    }
    char long_number[200];
    snprintf(long_number, sizeof long_number, "cnn.member_settings=epochs=%0150d", 2);
    const char *const too_long[] = {long_number, "cnn.members=2"};
    cnn_run_expect_refusal(*state, too_long, 2, STATUS_USAGE, "isn't a key");
    const char *const alone[] = {"cnn.member_settings=epochs=1"};
    cnn_run_expect_refusal(*state, alone, 1, STATUS_USAGE, "cnn.members");
}

/* The groups of ranks stop together, and at each stop each has made a step or more: the resumed runs end in
 * the same model. A signal isn't forgotten: what comes after it is stopped, too. */
static void test_stop_and_resume(void **state) {
    const CnnRun *run = *state;
    Config *config = cnn_run_config(ensemble, sizeof ensemble / sizeof *ensemble);
    char whole[65], pieces[65];
    cnn_run_train_whole(run, config, 2, whole);
    if (comm_rank(run->comm) == comm_size(run->comm) - 1) raise(SIGUSR1);
    const int stops = cnn_run_train_pieces(run, config, pieces);
    assert_true(stops >= EPOCHS * CNN_RUN_STEPS && stops <= MEMBERS * EPOCHS * CNN_RUN_STEPS);
    assert_string_equal(pieces, whole);
    config_destroy(&config);
}

/* What the model that is there makes of images. */
static void predict(const CnnRun *run, const Config *config, const ImageSet *images, Prediction *out) {
    Status status = {0};
    Model model = ref_model_load(run->comm, run->model, config, &status);
    if (!status.code) ref_model_predict(&model, run->comm, 1, images, out);
    model_close(&model);
    if (status.code) fail_msg("%s", status.text);
}

static bool holds_member(const CnnRun *run, int member) {
    H5File *file = NULL;
    Status status = {0}, ignored = {0};
    char path[MEMBER_ROOT];
    snprintf(path, sizeof path, "/model/members/%d", member);
    checkpoint_open(run->model, run->comm, &file, &status);
    if (status.code) fail_msg("%s", status.text);
    const bool holds = h5_exists(file, path);
    h5_close(&file, &ignored);
    return holds;
}

/* Of two groups of ranks one trains members 0 and 1, the other member 2, which takes longer than either, but
 * is finished before member 1 and is used in its own way without it. */
static void test_a_missing_member(void **state) {
    enum { IMAGES = 40 };
    const CnnRun *run = *state;
    if (comm_size(run->comm) != 2) skip();
    Config *config = cnn_run_config(ensemble, sizeof ensemble / sizeof *ensemble),
           *first = plain_config(0, "run.preprocess=none", NULL),
           *third = plain_config(2, "run.preprocess=deskew", "cnn.epochs=3");
    ImageSet images = cnn_run_images(3000, IMAGES);
    Prediction by_first[IMAGES] = {0}, by_third[IMAGES] = {0}, by_both[IMAGES] = {0};
    Status status = {0};
    char hex[65];
    raise(SIGUSR1); /* on both ranks now, so that each makes exactly one step until it stops */
    cnn_run_train_pieces(run, first, hex);
    predict(run, first, &images, by_first);
    cnn_run_train_pieces(run, third, hex);
    predict(run, third, &images, by_third);
    config_set(config, "cnn.member_preprocess=none none deskew", "test", &status);
    config_set(config, "cnn.member_settings=epochs=2 | epochs=2 | epochs=3", "test", &status);
    cnn_run_clear(run);
    for (bool resume = false; !resume || !holds_member(run, 0) || !holds_member(run, 2); resume = true) {
        status = (Status){0};
        assert_int_equal(cnn_run_train(run, config, 1, CNN_RUN_TRAIN, resume, &status), STATUS_STOPPED);
    }
    assert_false(holds_member(run, 1));
    predict(run, config, &images, by_both);
    int agreed = 0;
    for (int i = 0; i < IMAGES; i++) {
        if (by_first[i].label != by_third[i].label) continue;
        agreed++;
        assert_int_equal(by_both[i].label, by_first[i].label);
        assert_true(by_both[i].confidence == (by_first[i].confidence + by_third[i].confidence) / 2);
    }
    assert_true(agreed > 5);
    image_set_free(&images);
    config_destroy(&third);
    config_destroy(&first);
    config_destroy(&config);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    stop_install();
    CnnRun run = cnn_run_new(comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_members, &run),
        cmocka_unit_test_prestate(test_different_members, &run),
        cmocka_unit_test_prestate(test_members_of_own_settings, &run),
        cmocka_unit_test_prestate(test_some_members, &run),
        cmocka_unit_test_prestate(test_refusals, &run),
        cmocka_unit_test_prestate(test_refusals_of_own_settings, &run),
        cmocka_unit_test_prestate(test_stop_and_resume, &run),
        cmocka_unit_test_prestate(test_a_missing_member, &run),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cnn_run_free(&run);
    comm_finalize(&comm);
    return failed;
}
