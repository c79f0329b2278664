#include "svm/grid.h"
#include "svm/model.h"

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

static void destroy(Model *model) {
    SvmModel *svm = model->state;
    svm_model_destroy(&svm);
    model->state = NULL;
}

static StatusCode load(Model *model, const Context *context, Status *status) {
    SvmModel *svm = NULL;
    if (svm_model_read(&svm, model->file, model->config, status) == STATUS_OK)
        check_complete(svm, model->file, status);
    model->state = svm;
    return comm_agree(context->comm, status);
}

static void predict(const Model *model, const Context *context, const ModelImages *images, Prediction *out) {
    svm_model_predict(model->state, context, &images->set, out);
}

static void describe(const Model *model, char *text, int size) {
    const SvmOptions options = svm_options(model->config);
    Status ignored = {0};
    H5Shape shape = {0};
    h5_shape(model->file, "/model/support/index", &shape, &ignored);
    double c = options.c;
    if (h5_has_attribute(model->file, "/model", "c")) h5_get_f64(model->file, "/model", "c", &c, &ignored);
    snprintf(text, (size_t)size, "%lld support vectors, %s kernel%s, C = %g",
             (long long)(shape.rank == 1 ? shape.dims[0] : 0), config_text(model->config, "svm.kernel"),
             options.features == SVM_FEATURES_GRADIENT ? " of gradients" : "", c);
}

static StatusCode check(const Config *config, ImageSpec spec, Status *status) {
    (void)spec;
    SvmGrid grid;
    const SvmOptions options = svm_options(config);
    return svm_grid_read(&options, &grid, status);
}

const ModelFamily svm_family = {.name = "svm",
                                .check = check,
                                .train = svm_train,
                                .load = load,
                                .destroy = destroy,
                                .predict = predict,
                                .describe = describe};
