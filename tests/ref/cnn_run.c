#include "ref/cnn_run.h"

#include "core/mem.h"
#include "core/rng.h"
#include "ensemble/cnn_family.h"
#include "ensemble/families.h"
#include "model/model.h"
#include "store/checkpoint.h"
#include "store/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const ImageSpec cnn_run_spec = {26, 22, 11, 0, false};

CnnRun cnn_run_new(const Comm *comm) {
    const char *temporary = getenv("TMPDIR");
    CnnRun run = {.comm = comm};
    snprintf(run.folder, sizeof run.folder, "%s/pardigits-cnn-XXXXXX", temporary ? temporary : "/tmp");
    if (comm_rank(comm) == 0 && !mkdtemp(run.folder)) fatal("no folder %s", run.folder);
    comm_broadcast(comm, run.folder, sizeof run.folder, 0);
    snprintf(run.model, sizeof run.model, "%s/model.h5", run.folder);
    snprintf(run.metrics, sizeof run.metrics, "%s/metrics.h5", run.folder);
    return run;
}

void cnn_run_clear(const CnnRun *run) {
    static const char *const names[] = {"model.h5", "model.prev.h5", "metrics.h5"};
    comm_barrier(run->comm);
    for (int i = 0; comm_rank(run->comm) == 0 && i < 3; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", run->folder, names[i]);
        unlink(path);
    }
    comm_barrier(run->comm);
}

void cnn_run_free(const CnnRun *run) {
    cnn_run_clear(run);
    if (comm_rank(run->comm) == 0) rmdir(run->folder);
}

ImageSet cnn_run_images(int64_t first, int64_t n) {
    ImageSet set = image_set_new(n, cnn_run_spec);
    const int pixels = image_spec_pixels(cnn_run_spec);
    for (int64_t i = 0; i < n; i++) {
        set.labels[i] = (uint8_t)((first + i) * 7 % cnn_run_spec.classes);
        for (int p = 0; p < pixels; p++) {
            uint32_t bits[4];
            rng_u32x4((RngKey){2, RNG_TEST}, 0, (uint64_t)(first + i), (uint32_t)p, bits);
            bool bar = p / cnn_run_spec.width / 2 == set.labels[i] + 2;
            set.images[i * pixels + p] = (uint8_t)(bits[0] % 64 + (bar ? 150 : 0));
        }
    }
    return set;
}

Config *cnn_run_config(const char *const *changes, int count) {
    static const char layers[] =
        "cnn.layers=conv:4:3 bn relu pool:3 dropout:0.2 dense:12 bn relu dense:classes";
    static const char *const common[] = {"run.model=cnn",      "cnn.epochs=3",  "cnn.batch=48",
                                         "cnn.micro_batch=4",  "cnn.rotate=10", "cnn.shift=1",
                                         "cnn.checkpoint_s=0", layers};
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        config_set(config, common[i], "test", &status);
    for (int i = 0; i < count; i++)
        config_set(config, changes[i], "test", &status);
    if (status.code) fail_msg("%s", status.text);
    return config;
}

StatusCode cnn_run_train(const CnnRun *run, const Config *config, int threads, int64_t count, bool resume,
                         Status *status) {
    const Comm *comm = run->comm;
    Range own = partition_range(count, comm_size(comm), comm_rank(comm));
    Log log = {.speaks = false};
    TrainJob job = {.comm = comm, .config = config, .log = &log, .threads = threads, .train_count = count};
    job.spec = cnn_run_spec;
    train_job_take(&job, cnn_run_images(own.begin, range_size(own)), cnn_run_images(1000, CNN_RUN_VALID));
    job.model_path = run->model;
    if (resume) checkpoint_open_newest(run->model, comm, &job.resume, status);
    job.resumed = job.resume != NULL;
    if (comm_rank(comm) == 0) metrics_open(&job.metrics, run->metrics, config, resume, status);
    if (!comm_agree(comm, status)) cnn_family.train(&job, status);
    metrics_destroy(&job.metrics);
    Status ignored = {0};
    h5_close(&job.resume, &ignored);
    train_job_free_images(&job);
    return status->code;
}

void cnn_run_digest(const CnnRun *run, char hex[65]) {
    H5File *file = NULL;
    Status status = {0};
    bool complete = false;
    checkpoint_open(run->model, run->comm, &file, &status);
    if (!status.code) checkpoint_is_complete(file, &complete, &status);
    if (!status.code) h5_digest(file, hex, &status);
    h5_close(&file, &status);
    if (status.code) fail_msg("%s", status.text);
    assert_true(complete);
}

void cnn_run_train_whole(const CnnRun *run, const Config *config, int threads, char hex[65]) {
    Status status = {0};
    cnn_run_clear(run);
    if (cnn_run_train(run, config, threads, CNN_RUN_TRAIN, false, &status)) fail_msg("%s", status.text);
    cnn_run_digest(run, hex);
}

int cnn_run_train_pieces(const CnnRun *run, const Config *config, char hex[65]) {
    enum { MOST_STOPS = 1000 };
    int stops = 0;
    cnn_run_clear(run);
    for (StatusCode code = STATUS_STOPPED; code != STATUS_OK; stops += code == STATUS_STOPPED) {
        Status status = {0};
        code = cnn_run_train(run, config, 1 + stops % 2, CNN_RUN_TRAIN, stops > 0, &status);
        if (code != STATUS_OK && code != STATUS_STOPPED) fail_msg("%s", status.text);
        assert_true(stops < MOST_STOPS);
    }
    cnn_run_digest(run, hex);
    return stops;
}

void cnn_run_expect_refusal(const CnnRun *run, const char *const *changes, int count, StatusCode code,
                            const char *part) {
    Config *config = cnn_run_config(changes, count);
    Status status = {0};
    cnn_run_clear(run);
    if (!cnn_family.check(config, cnn_run_spec, &status))
        cnn_run_train(run, config, 1, CNN_RUN_TRAIN, false, &status);
    assert_int_equal(status.code, code);
    if (!strstr(status.text, part)) fail_msg("'%s' instead of '%s'", status.text, part);
    config_destroy(&config);
}
