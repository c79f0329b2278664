#include "knn/model.h"

#include "core/mem.h"

#include <stdio.h>

static void knn_destroy(void **model_pointer) {
    if (!*model_pointer) return;
    knn_model_free(*model_pointer);
    mem_free(*model_pointer);
    *model_pointer = NULL;
}

static StatusCode knn_load(void **model_pointer, const H5File *file, const Config *config, const Comm *comm,
                           Status *status) {
    KnnModel *model = mem_new(1, sizeof *model);
    *model_pointer = model;
    if (knn_model_read(model, file, config, comm, status)) knn_destroy(model_pointer);
    return status->code;
}

static StatusCode knn_predict(void *model, const Comm *comm, int threads, const uint8_t *images, int64_t n,
                              Prediction *out, Status *status) {
    (void)status; /* nothing can fail */
    knn_model_predict(model, comm, threads, images, n, out);
    return STATUS_OK;
}

static void knn_describe(const H5File *file, const Config *config, char *text, int size) {
    Status status = {0};
    int64_t total = 0, k = 0;
    knn_model_facts(file, config, &total, &k, &status);
    const KnnMethod method = knn_method(config);
    int length =
        snprintf(text, (size_t)size, "%lld reference images, k = %lld", (long long)total, (long long)k);
    if (length >= size) return;
    if (method.candidates)
        snprintf(text + length, (size_t)(size - length), ", idm of %lld candidates",
                 (long long)method.candidates);
    else if (method.gradient)
        snprintf(text + length, (size_t)(size - length), ", by gradients");
}

const ModelFamily knn_family = {.name = "knn",
                                .train = knn_train,
                                .load = knn_load,
                                .predict = knn_predict,
                                .describe = knn_describe,
                                .destroy = knn_destroy,
                                .nearest = knn_model_nearest};
