#include "svm/grid.h"
#include "svm/model.h"

#include "core/mem.h"

#include <stdio.h>

static StatusCode check_complete(const SvmModel *model, const H5File *file, Status *status) {
    int pairs = 0;
    for (int p = 0; p < SVM_PAIRS; p++)
        pairs += svm_pair_exists(model->present, p);
    int solved = svm_pairs_solved(model->pairs);
    if (solved == pairs && pairs > 0) return STATUS_OK;
    return status_set(status, STATUS_FAILED,
                      "%s: %d of %d class pairs are solved; finish the training with --resume", h5_path(file),
                      solved, pairs);
}

static StatusCode load(void **result, const H5File *file, const Config *config, const Comm *comm,
                       Status *status) {
    SvmModel *model = NULL;
    if (svm_model_read(&model, file, config, status) == STATUS_OK) check_complete(model, file, status);
    if (comm_agree(comm, status) != STATUS_OK) svm_model_destroy(&model);
    *result = model;
    return status->code;
}

static StatusCode predict(void *model, const Comm *comm, int threads, const uint8_t *images, int64_t n,
                          Prediction *out, Status *status) {
    (void)status; /* nothing can fail */
    svm_model_predict(model, comm, threads, images, n, out);
    return STATUS_OK;
}

static void describe(const H5File *file, const Config *config, char *text, int size) {
    Status ignored = {0};
    H5Shape shape = {0};
    h5_shape(file, "/model/support/index", &shape, &ignored);
    double c = config_real(config, "svm.c");
    if (h5_has_attribute(file, "/model", "c")) h5_get_f64(file, "/model", "c", &c, &ignored);
    snprintf(text, (size_t)size, "%lld support vectors, %s kernel%s, C = %g",
             (long long)(shape.rank == 1 ? shape.dims[0] : 0), config_text(config, "svm.kernel"),
             svm_config_gradient(config) ? " of gradients" : "", c);
}

static StatusCode check(const Config *config, Status *status) {
    SvmGrid grid;
    return svm_grid_read(config, &grid, status);
}

static void destroy(void **model) {
    SvmModel *svm = *model;
    svm_model_destroy(&svm);
    *model = NULL;
}

const ModelFamily svm_family = {.name = "svm",
                                .check = check,
                                .train = svm_train,
                                .load = load,
                                .predict = predict,
                                .describe = describe,
                                .destroy = destroy};
