#include "svm/grid.h"
#include "svm/hints.h"
#include "svm/model.h"

#include "model/class_weights.h"
#include "model/draw.h"
#include "model/model_npz.h"
#include "svm/svm_libsvm.h"
#include "svm/svm_onnx.h"
#include "svm/votes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static StatusCode check_complete(const SvmModel *model, const H5File *file, Status *status) {
    const int pairs = svm_pairs_existing(model->spec.classes, model->present);
    const int solved = svm_pairs_solved(&model->pairs);
    if (solved == pairs && pairs > 0) return STATUS_OK;
    return status_set(status, STATUS_FAILED,
                      "%s: %d of %d class pairs are solved; finish the training with --resume.",
                      h5_path(file), solved, pairs);
}

static void destroy(Model *model) {
    SvmModel *svm = model->state;
    svm_model_destroy(&svm);
    model->state = NULL;
}

static StatusCode load(Model *model, const Context *context, Status *status) {
    SvmModel *svm = NULL;
    if (svm_model_read(&svm, model->file, model->config, model->spec, status) == STATUS_OK)
        check_complete(svm, model->file, status);
    model->state = svm;
    return comm_agree(context->comm, status);
}

static void predict(const Model *model, const Context *context, const ModelImages *images, Prediction *out,
                    float *probabilities) {
    svm_model_predict(model->state, context, &images->set, (SvmPredictions){out, probabilities, NULL});
}

static int decision_count(const Model *model) {
    const SvmModel *svm = model->state;
    return svm->pairs.count;
}

static void decision_classes(const Model *model, int number, int *a, int *b) {
    svm_pair_classes(model->spec.classes, number, a, b);
}

static void decide(const Model *model, const Context *context, const ModelImages *images, Prediction *out,
                   double *decisions) {
    svm_model_predict(model->state, context, &images->set, (SvmPredictions){out, NULL, decisions});
}

static bool has_probabilities(const Model *model) {
    const SvmModel *svm = model->state;
    return svm->calibrated;
}

/* Whether another program trained it: the origin of its support vectors isn't known. */
static bool is_imported(const Model *model) {
    Status ignored = {0};
    H5Shape shape = {0};
    int32_t first = 0;
    if (!h5_shape(model->file, "/model/support/index", &shape, &ignored) && shape.dims[0] > 0)
        h5_read_rows(model->file, "/model/support/index", H5_I32, 1, 0, 1, &first, &ignored);
    return first < 0;
}

/* A file of LIBSVM says of the keys of this family only these. */
static bool lacks_key(const Model *model, const char *key) {
    static const char *const said[] = {"kernel",      "gamma",    "degree",   "coef0",
                                       "probability", "features", "normalize"};
    if (strncmp(key, "svm.", 4) || !is_imported(model)) return false;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (!strcmp(key + 4, said[i])) return false;
    return true;
}

static void describe(const Model *model, char *text, int size) {
    const SvmOptions options = svm_options(model->config);
    Status ignored = {0};
    H5Shape shape = {0};
    int all, done = svm_votes_saved_parts(model->file, &all);
    if (all) {
        snprintf(text, (size_t)size, "a search for C%s, of which %d of %d parts are done",
                 options.kernel == SVM_LINEAR ? "" : " and gamma", done, all);
        return;
    }
    h5_shape(model->file, "/model/support/index", &shape, &ignored);
    char about_c[32] = "C unknown (imported)", gamma[32] = "";
    if (!is_imported(model)) snprintf(about_c, sizeof about_c, "C = %g", options.c);
    if (options.kernel != SVM_LINEAR) snprintf(gamma, sizeof gamma, ", gamma = %g", options.gamma);
    snprintf(text, (size_t)size, "%lld support vectors, %s kernel%s, %s%s",
             (long long)(shape.rank == 1 ? shape.dims[0] : 0), config_text(model->config, "svm.kernel"),
             options.features == SVM_FEATURES_GRADIENT ? " of gradients" : "", about_c, gamma);
}

static StatusCode take_chosen_key(const H5File *file, Config *config, const char *name, const char *key,
                                  Status *status) {
    double value;
    char text[32];
    if (!h5_has_attribute(file, "/model", name) || h5_get_f64(file, "/model", name, &value, status))
        return status->code;
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value) snprintf(text, sizeof text, "%.17g", value);
    return config_set_value(config, key, text, h5_path(file), status);
}

/* C and gamma of a search. */
static StatusCode take_chosen(const H5File *file, Config *config, Status *status) {
    take_chosen_key(file, config, "c", "svm.c", status);
    return take_chosen_key(file, config, "gamma", "svm.gamma", status);
}

static StatusCode check(const Config *config, ImageSpec spec, Status *status) {
    SvmGrid grid;
    double weights[CLASSES_MAX];
    const SvmOptions options = svm_options(config);
    if (class_weights_read("svm.class_weights", options.class_weights, spec.classes, NULL, weights, status))
        return status->code;
    return svm_grid_read(&options, &grid, status);
}

/* The images of the two largest classes. */
static int64_t largest_pair(const uint64_t *counts, int classes) {
    uint64_t most = 0, second = 0;
    for (int c = 0; c < classes; c++)
        if (counts[c] > most) {
            second = most;
            most = counts[c];
        } else if (counts[c] > second)
            second = counts[c];
    return (int64_t)(most + second);
}

/* The most that a training takes: all images, in memory that the ranks of a node share, and the virtual
 * examples if all of them support; those of two classes a thread, packed for the kernel; the rows of the
 * cache; the model's file, which is built in memory and checked. */
static int64_t most_bytes(const TrainJob *job, const SvmOptions *options, const uint64_t *counts) {
    const int64_t grown = 1 + 8 * options->virtual, /* times as many examples */
        pixels = image_spec_pixels(job->spec), whole = job->train_count * pixels,
                  pair = grown * largest_pair(counts, job->spec.classes);
    const double at_once = fmin(job->threads, svm_pair_count(job->spec.classes)),
                 rows = at_once * (double)pair * (double)pair * sizeof(float),
                 packed = fmin(at_once * (double)pair * (double)pixels, (double)(grown * whole));
    return (comm_size(job->comm) == 1 ? 0 : whole / comm_node_size(job->comm)) +
           (grown > 1 ? grown * whole : 0) + (int64_t)packed +
           (int64_t)fmin((double)(options->cache_mb << 20), rows) + 2 * grown * whole;
}

static StatusCode rehearse(TrainJob *job, Output *output, int64_t *bytes, Status *status) {
    const SvmOptions options = svm_options(job->config);
    uint64_t counts[CLASSES_MAX];
    int present = 0;
    train_job_count_classes(job, counts);
    for (int c = 0; c < job->spec.classes; c++)
        present += counts[c] > 0;
    if (svm_check_classes(job->train_count, present, status)) return status->code;
    *bytes = most_bytes(job, &options, counts);
    if (options.features == SVM_FEATURES_PIXELS) svm_log_hints(&options, &job->shard, job->log);
    output_integer(output, "pairs", "pairs of classes", svm_pair_count(job->spec.classes));
    return status->code;
}

static StatusCode draw(const Model *model, const char *path, Log *log, Status *status) {
    if (svm_options(model->config).features != SVM_FEATURES_PIXELS)
        return status_set(status, STATUS_USAGE,
                          "%s holds features of images (svm.features), which can't be drawn: omit --out.",
                          h5_path(model->file));
    return draw_labelled_images(model->file, "/model/support/images", "/model/support/labels",
                                &model->class_names, NULL, path, log, status);
}

/* A LIBSVM model doesn't say what images went through before the kernel saw them. */
static StatusCode export_libsvm(const Model *model, const Context *context, const char *path,
                                Status *status) {
    const char *preprocess = config_text(model->config, "run.preprocess"),
               *features = config_text(model->config, "svm.features");
    if (svm_libsvm_write_model(model->state, path, status)) return status->code;
    if (strcmp(preprocess, "none") || strcmp(features, "pixels"))
        log_line(context->log,
                 "%s doesn't say what images go through first; to import it again add --set "
                 "run.preprocess=%s --set svm.features=%s",
                 path, preprocess, features);
    return status->code;
}

static StatusCode export_images(const Model *model, const ModelImages *images, const char *path,
                                Status *status) {
    return svm_libsvm_write_images(model->state, &images->set, path, status);
}

static const ModelExporter exporters[] = {
    {"libsvm", export_libsvm, export_images}, {"onnx", svm_onnx_write, NULL}, {"npz", model_npz_write, NULL}};

/* What a LIBSVM model doesn't say about the images that it was trained on. */
static const char *const import_keys[] = {"run.preprocess", "run.train", "run.valid", "svm.features", NULL};

static const ModelImporter importers[] = {
    {"libsvm", import_keys, svm_libsvm_read_model, svm_libsvm_save, svm_libsvm_free}};

const ModelFamily svm_family = {.name = "svm",
                                .check = check,
                                .train = svm_train,
                                .rehearse = rehearse,
                                .take_chosen = take_chosen,
                                .load = load,
                                .destroy = destroy,
                                .predict = predict,
                                .has_probabilities = has_probabilities,
                                .decision_count = decision_count,
                                .decision_classes = decision_classes,
                                .decide = decide,
                                .describe = describe,
                                .lacks_key = lacks_key,
                                .draw = draw,
                                .exporter_count = 3,
                                .exporters = exporters,
                                .importer_count = 1,
                                .importers = importers};
