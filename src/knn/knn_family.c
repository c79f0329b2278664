#include "knn/model.h"

#include "core/mem.h"
#include "model/draw.h"
#include "model/model_npz.h"

#include <stdio.h>

static void destroy(Model *model) {
    if (!model->state) return;
    knn_model_free(model->state);
    mem_free(model->state);
    model->state = NULL;
}

static StatusCode load(Model *model, const Context *context, Status *status) {
    model->state = mem_new(1, sizeof(KnnModel));
    return knn_model_read(model->state, model, context, status);
}

static void predict(const Model *model, const Context *context, const ModelImages *images, Prediction *out,
                    float *probabilities) {
    knn_model_predict(model->state, context, &images->set, out, probabilities);
}

static void describe(const Model *model, char *text, int size) {
    Status status = {0};
    int64_t total = 0, k = 0;
    knn_model_facts(model, &total, &k, &status);
    const KnnOptions options = knn_options(model->config);
    const KnnMethod method = knn_method(&options, model->spec);
    int length =
        k ? snprintf(text, (size_t)size, "%lld reference images, k = %lld", (long long)total, (long long)k)
          : snprintf(text, (size_t)size, "%lld reference images, k isn't chosen yet", (long long)total);
    if (length >= size) return;
    if (method.candidates)
        snprintf(text + length, (size_t)(size - length), ", idm of %lld candidates",
                 (long long)method.candidates);
    else if (method.gradient)
        snprintf(text + length, (size_t)(size - length), ", by gradients");
}

static StatusCode draw(const Model *model, const char *path, Log *log, Status *status) {
    return draw_labelled_images(model->file, "/model/reference/images", "/model/reference/labels",
                                &model->class_names, NULL, path, log, status);
}

static const ModelExporter exporters[] = {{"npz", model_npz_write, NULL}};

const ModelFamily knn_family = {.name = "knn",
                                .train = knn_train,
                                .rehearse = knn_rehearse,
                                .load = load,
                                .destroy = destroy,
                                .predict = predict,
                                .describe = describe,
                                .nearest = knn_model_nearest,
                                .draw = draw,
                                .exporter_count = 1,
                                .exporters = exporters};
