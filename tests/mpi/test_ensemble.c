/* Ensembles of a tiny network: each member is the plain network of its seed, whichever group of ranks trained
 * it; refusals. */
#include "../../src/cnn/members.h"
#include "../ref/cnn_run.h"

#include "pardigits/checkpoint.h"
#include "pardigits/stop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

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

/* Each member is the plain network of its seed, whoever trained it; metrics name the members. */
static void test_members(void **state) {
    const CnnRun *run = *state;
    Config *config = cnn_run_config(ensemble, sizeof ensemble / sizeof *ensemble);
    char hex[65], seed[32];
    float members[MEMBERS][36], alone[36];
    MetricsTable epochs = {0};
    H5File *file = NULL;
    Status status = {0};
    cnn_run_train_whole(run, config, 2, hex);
    for (int m = 0; m < MEMBERS; m++)
        read_weights(run, m, members[m]);
    h5_open(&file, run->metrics, NULL, &status);
    metrics_read_table(file, "/epochs", &epochs, &status);
    h5_close(&file, &status);
    assert_int_equal(epochs.rows, MEMBERS * EPOCHS);
    for (int64_t i = 0; i < epochs.rows; i++) {
        assert_int_equal((int)epochs.values[i * epochs.columns], i / EPOCHS);
        assert_int_equal((int)epochs.values[i * epochs.columns + 1], i % EPOCHS + 1);
    }
    metrics_free_table(&epochs);
    for (int m = 0; m < MEMBERS; m++) {
        snprintf(seed, sizeof seed, "run.seed=%u", members_seed(1, m));
        const char *const plain[] = {"cnn.ema=0.8", "cnn.epochs=2", seed};
        Config *member = cnn_run_config(plain, 3);
        cnn_run_train_whole(run, member, 1, hex);
        read_weights(run, -1, alone);
        assert_memory_equal(alone, members[m], sizeof alone);
        for (int other = 0; other < m; other++)
            assert_memory_not_equal(members[other], members[m], sizeof alone);
        config_destroy(&member);
    }
    config_destroy(&config);
}

/* Only the second member is trained on other images. */
static void test_member_preprocess(void **state) {
    Config *config = cnn_run_config(ensemble, sizeof ensemble / sizeof *ensemble);
    Status status = {0};
    char hex[65];
    float same[MEMBERS][36], other[MEMBERS][36];
    cnn_run_train_whole(*state, config, 2, hex);
    for (int m = 0; m < MEMBERS; m++)
        read_weights(*state, m, same[m]);
    config_set(config, "cnn.member_preprocess=none deskew none", "test", &status);
    assert_int_equal(status.code, STATUS_OK);
    cnn_run_train_whole(*state, config, 2, hex);
    for (int m = 0; m < MEMBERS; m++)
        read_weights(*state, m, other[m]);
    assert_memory_equal(same[0], other[0], sizeof same[0]);
    assert_memory_not_equal(same[1], other[1], sizeof same[1]);
    assert_memory_equal(same[2], other[2], sizeof same[2]);
    config_destroy(&config);
}

/* The first K members of an ensemble are used, but not more than there are. */
static void test_some_members(void **state) {
    const CnnRun *run = *state;
    Config *config = cnn_run_config(ensemble, sizeof ensemble / sizeof *ensemble);
    char hex[65];
    H5File *file = NULL;
    Status status = {0};
    cnn_run_train_whole(run, config, 2, hex);
    checkpoint_open(run->model, run->comm, &file, &status);
    ImageSet images = cnn_run_images(3000, 20);
    Prediction out[3][20];
    for (int k = 1; k <= 4; k++) {
        char use[32];
        void *model = NULL;
        snprintf(use, sizeof use, "cnn.use_members=%d", k % 4);
        config_set(config, use, "test", &status);
        StatusCode code = cnn_family.load(&model, file, config, run->comm, &status);
        if (code) fail_msg("%s", status.text);
        if (k < 4) cnn_family.predict(model, run->comm, 1, images.images, 20, out[k - 1], &status);
        cnn_family.destroy(&model);
    }
    assert_true(out[0][0].confidence != out[1][0].confidence && out[1][0].confidence != out[2][0].confidence);
    void *model = NULL;
    config_set(config, "cnn.use_members=4", "test", &status);
    assert_int_equal(cnn_family.load(&model, file, config, run->comm, &status), STATUS_USAGE);
    assert_null(model);
    image_set_free(&images);
    Status ignored = {0};
    h5_close(&file, &ignored);
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
    const char *const one_net[] = {"cnn.member_layers=dense:10 | conv:4:3 relu dense:10"};
    const char *const bad_net[] = {"cnn.member_layers=dense:10 | conv:4:30 dense:10", "cnn.members=2"};
    const char *const no_net[] = {"cnn.member_layers=dense:10 |", "cnn.members=2"};
    cnn_run_expect_refusal(*state, one_net, 1, STATUS_USAGE, "cnn.members");
    cnn_run_expect_refusal(*state, bad_net, 2, STATUS_USAGE, "conv:4:30");
    cnn_run_expect_refusal(*state, no_net, 2, STATUS_USAGE, "empty");
}

/* The groups of ranks stop together, and at each stop each of them has made one step: the resumed runs end in
 * the same model. Comes last, because a signal isn't forgotten. */
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

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    stop_install();
    CnnRun run = cnn_run_new(comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_members, &run),
        cmocka_unit_test_prestate(test_member_preprocess, &run),
        cmocka_unit_test_prestate(test_some_members, &run),
        cmocka_unit_test_prestate(test_refusals, &run),
        cmocka_unit_test_prestate(test_stop_and_resume, &run),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cnn_run_free(&run);
    comm_finalize(&comm);
    return failed;
}
