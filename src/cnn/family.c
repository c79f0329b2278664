#include "pardigits/family.h"

#include "members.h"
#include "network.h"
#include "predict.h"
#include "state.h"

#include "pardigits/exact_sum.h"
#include "pardigits/mem.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    Network net;
    int members, shifts;    /* shifts: cnn.test_shifts */
    Predictor **predictors; /* [members] */
    char **ways;            /* [members] in which their images are preprocessed */
} CnnModel;

static StatusCode check_config(const Config *config, Status *status) {
    int64_t batch = config_int(config, "cnn.batch"), leaf = config_int(config, "cnn.leaf");
    if (leaf & (leaf - 1))
        return status_set(status, STATUS_USAGE, "cnn.leaf = %lld must be a power of two.", (long long)leaf);
    if ((batch + leaf - 1) / leaf > EXACT_SUM_MAX_TERMS)
        return status_set(
            status, STATUS_USAGE,
            "cnn.batch = %lld makes more than %d leaves of cnn.leaf = %lld images; use a larger leaf.",
            (long long)batch, EXACT_SUM_MAX_TERMS, (long long)leaf);
    Network *net = mem_new(1, sizeof *net);
    network_parse(net, config_text(config, "cnn.layers"), status);
    mem_free(net);
    if (!status->code) members_check(config, status);
    return status->code;
}

static void destroy_model(void **model_pointer) {
    CnnModel *model = *model_pointer;
    if (!model) return;
    for (int m = 0; m < model->members; m++) {
        predictor_free(&model->predictors[m]);
        mem_free(model->ways[m]);
    }
    mem_free(model->predictors);
    mem_free(model->ways);
    mem_free(model);
    *model_pointer = NULL;
}

static StatusCode load_members(CnnModel *model, const H5File *file, const Config *config, Status *status) {
    const Network *net = &model->net;
    int64_t count;
    if (members_count(file, config, &count, status)) return status->code;
    model->predictors = mem_new((size_t)count, sizeof *model->predictors);
    model->ways = mem_new((size_t)count, sizeof *model->ways);
    float *params = mem_new((size_t)net->param_floats, sizeof *params);
    float *statistics = mem_new((size_t)net->statistic_floats, sizeof *statistics);
    for (int m = 0; model->members < count; m++) {
        char root[MEMBER_ROOT], way[MEMBER_WAY];
        members_root(config, m, root);
        if (!h5_exists(file, root)) continue; /* its training isn't finished */
        if (train_state_read_model(file, root, net, params, statistics, status)) break;
        model->ways[model->members] = mem_text(members_preprocess(config, m, way));
        model->predictors[model->members++] = predictor_new(net, params, statistics);
    }
    mem_free(statistics);
    mem_free(params);
    return status->code;
}

static StatusCode load_model(void **model_pointer, const H5File *file, const Config *config, const Comm *comm,
                             Status *status) {
    CnnModel *model = mem_new(1, sizeof *model);
    model->shifts = (int)config_int(config, "cnn.test_shifts");
    if (network_parse(&model->net, config_text(config, "cnn.layers"), status) == STATUS_OK)
        load_members(model, file, config, status);
    *model_pointer = model;
    if (comm_agree(comm, status)) destroy_model(model_pointer);
    return status->code;
}

static StatusCode predict_images(void *opaque, const Comm *comm, int threads, const uint8_t *images,
                                 int64_t n, Prediction *out, Status *status) {
    const CnnModel *model = opaque;
    (void)status; /* nothing here can fail */
    int64_t chunks = predict_chunks(n);
    Prediction *whole = mem_new((size_t)chunks * PREDICT_CHUNK, sizeof *whole);
    const Committee committee = {model->members, model->shifts, model->predictors, model->ways};
    committee_run(&committee, threads, images, n, partition_range(chunks, comm_size(comm), comm_rank(comm)),
                  whole);
    comm_share_rows(comm, whole, chunks, PREDICT_CHUNK * (int64_t)sizeof *whole);
    memcpy(out, whole, (size_t)n * sizeof *out);
    mem_free(whole);
    return STATUS_OK;
}

static void describe_model(const H5File *file, const Config *config, char *text, int size) {
    Network *net = mem_new(1, sizeof *net);
    Status ignored = {0};
    int64_t members = config_int(config, "cnn.members"), done = 0, all = members;
    const char *what = "members";
    if (members > 1) {
        h5_get_i64(file, "/state", "members", &done, &ignored);
    } else {
        h5_get_i64(file, "/state", "epoch", &done, &ignored);
        all = config_int(config, "cnn.epochs");
        what = "epochs";
    }
    network_parse(net, config_text(config, "cnn.layers"), &ignored);
    snprintf(text, (size_t)size,
             "%d layers, %lld parameters, %lld multiply-adds an image, %lld of %lld %s trained",
             net->layer_count, (long long)net->parameters, (long long)net->multiply_adds, (long long)done,
             (long long)all, what);
    mem_free(net);
}

const ModelFamily cnn_family = {"cnn",          check_config,   members_train, load_model,
                                predict_images, describe_model, destroy_model, NULL};
