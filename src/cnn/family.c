#include "pardigits/family.h"

#include "network.h"
#include "predict.h"
#include "state.h"
#include "train.h"

#include "pardigits/exact_sum.h"
#include "pardigits/mem.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    Network net;
    Predictor *predictor;
    int shifts; /* cnn.test_shifts */
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
    return status->code;
}

static void destroy_model(void **model_pointer) {
    CnnModel *model = *model_pointer;
    if (!model) return;
    predictor_free(&model->predictor);
    mem_free(model);
    *model_pointer = NULL;
}

static StatusCode load_model(void **model_pointer, const H5File *file, const Config *config, const Comm *comm,
                             Status *status) {
    CnnModel *model = mem_new(1, sizeof *model);
    model->shifts = (int)config_int(config, "cnn.test_shifts");
    if (network_parse(&model->net, config_text(config, "cnn.layers"), status) == STATUS_OK) {
        float *params = mem_new((size_t)model->net.param_floats, sizeof *params);
        float *statistics = mem_new((size_t)model->net.statistic_floats, sizeof *statistics);
        if (train_state_read_model(&model->net, file, params, statistics, status) == STATUS_OK)
            model->predictor = predictor_new(&model->net, params, statistics);
        mem_free(statistics);
        mem_free(params);
    }
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
    const Committee committee = {1, model->shifts, &model->predictor};
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
    int64_t epoch = 0;
    h5_get_i64(file, "/state", "epoch", &epoch, &ignored);
    network_parse(net, config_text(config, "cnn.layers"), &ignored);
    snprintf(text, (size_t)size,
             "%d layers, %lld parameters, %lld multiply-adds an image, %lld of %lld epochs trained",
             net->layer_count, (long long)net->parameters, (long long)net->multiply_adds, (long long)epoch,
             (long long)config_int(config, "cnn.epochs"));
    mem_free(net);
}

const ModelFamily cnn_family = {"cnn",          check_config,   cnn_train,    load_model,
                                predict_images, describe_model, destroy_model};
