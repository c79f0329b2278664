#include "report/predictions_file.h"

#include "core/mem.h"
#include "core/regular_file.h"
#include "store/atomic_file.h"
#include "store/h5io.h"
#include "store/h5npz.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char csv_columns[] = "index,label,prediction,confidence";

static void write_csv(FILE *file, const void *context) {
    const PredictionRows *rows = context;
    const Model *model = rows->model;
    const int classes = rows->probabilities ? model->spec.classes : 0;
    const int pairs = rows->decisions ? model->family->decision_count(model) : 0;
    fputs(csv_columns, file);
    for (int c = 0; c < classes; c++)
        fprintf(file, ",p_%d", c);
    for (int p = 0; p < pairs; p++) {
        int a, b;
        model->family->decision_classes(model, p, &a, &b);
        fprintf(file, ",d_%d_%d", a, b);
    }
    putc('\n', file);
    for (int64_t i = 0; i < rows->n; i++) {
        fprintf(file, "%lld,%d,%d,%.9g", (long long)(rows->first + i), rows->labels[i], rows->best[i].label,
                (double)rows->best[i].confidence);
        for (int c = 0; c < classes; c++)
            fprintf(file, ",%.9g", (double)rows->probabilities[i * classes + c]);
        for (int p = 0; p < pairs; p++) {
            const double value = rows->decisions[i * pairs + p];
            fprintf(file, isnan(value) ? "," : ",%.17g", value);
        }
        putc('\n', file);
    }
}

static StatusCode write_csv_file(const char *path, const PredictionRows *rows, Status *status) {
    return atomic_file_write(path, write_csv, rows, status);
}

/* The columns that every file has. */
static void write_columns(H5File *file, const PredictionRows *rows, Status *status) {
    const H5Shape shape = {1, {rows->n}};
    int64_t *index = mem_new((size_t)rows->n, sizeof *index);
    uint8_t *prediction = mem_new((size_t)rows->n, sizeof *prediction);
    float *confidence = mem_new((size_t)rows->n, sizeof *confidence);
    for (int64_t i = 0; i < rows->n; i++) {
        index[i] = rows->first + i;
        prediction[i] = rows->best[i].label;
        confidence[i] = rows->best[i].confidence;
    }
    h5_write(file, "/index", H5_I64, shape, index, status);
    h5_set_text(file, "/index", "units", "row of the part of the dataset, from 0", status);
    h5_write(file, "/label", H5_U8, shape, rows->labels, status);
    h5_write(file, "/prediction", H5_U8, shape, prediction, status);
    h5_write(file, "/confidence", H5_F32, shape, confidence, status);
    mem_free(index);
    mem_free(prediction);
    mem_free(confidence);
}

/* Decision values, and which classes each is of. */
static void write_decisions(H5File *file, const PredictionRows *rows, Status *status) {
    const Model *model = rows->model;
    const int pairs = model->family->decision_count(model);
    uint8_t(*classes)[2] = mem_new((size_t)pairs, sizeof *classes);
    for (int p = 0; p < pairs; p++) {
        int a, b;
        model->family->decision_classes(model, p, &a, &b);
        classes[p][0] = (uint8_t)a;
        classes[p][1] = (uint8_t)b;
    }
    h5_write(file, "/decisions", H5_F64, (H5Shape){2, {rows->n, pairs}}, rows->decisions, status);
    h5_set_text(file, "/decisions", "shape", "image, pair of classes: positive means the first one", status);
    h5_write(file, "/pairs", H5_U8, (H5Shape){2, {pairs, 2}}, classes, status);
    mem_free(classes);
}

static void write_content(H5File *file, const PredictionRows *rows, Status *status) {
    const Model *model = rows->model;
    char *digest = NULL;
    h5_set_text(file, "/", "format", PREDICTIONS_FORMAT, status);
    h5_set_text(file, "/", "model", h5_path(model->file), status);
    if (!h5_get_text(model->file, "/", "digest", &digest, status))
        h5_set_text(file, "/", "model_digest", digest, status);
    mem_free(digest);
    h5_set_text(file, "/", "data", rows->data, status);
    h5_set_text(file, "/", "split", rows->split, status);
    for (const char *const *key = model->family->use_keys; key && *key; key++)
        h5_set_text(file, "/", *key, config_value(model->config, *key), status);
    class_names_write(file, "/", &model->class_names, status);
    write_columns(file, rows, status);
    if (rows->probabilities) {
        h5_write(file, "/probabilities", H5_F32, (H5Shape){2, {rows->n, model->spec.classes}},
                 rows->probabilities, status);
        h5_set_text(file, "/probabilities", "shape", "image, class", status);
    }
    if (rows->decisions) write_decisions(file, rows, status);
}

static StatusCode write_hdf5_file(const char *path, const PredictionRows *rows, Status *status) {
    AtomicFile whole;
    H5File *file = NULL;
    if (!atomic_file_begin(&whole, path, status) && !h5_create(&file, whole.temporary, status))
        write_content(file, rows, status);
    h5_close(&file, status);
    return atomic_file_end(&whole, status);
}

/* The arrays and attributes of HDF5. */
static StatusCode write_npz_file(const char *path, const PredictionRows *rows, Status *status) {
    H5File *file = NULL;
    NpzFile *npz = NULL;
    if (!h5_create(&file, path, status)) write_content(file, rows, status);
    if (!npz_create(&npz, status)) h5_group_to_npz(file, "/", npz, status);
    h5_drop(&file);
    return npz_write(&npz, path, status);
}

static const struct {
    const char *ending;
    StatusCode (*write)(const char *path, const PredictionRows *rows, Status *status);
} kinds[] = {
    {".csv", write_csv_file}, {".npz", write_npz_file}, {".h5", write_hdf5_file}, {".hdf5", write_hdf5_file}};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* KINDS: none. */
static int find_kind(const char *path) {
    const size_t length = strlen(path);
    for (int k = 0; k < KINDS; k++) {
        const size_t ending = strlen(kinds[k].ending);
        if (length > ending && !strcmp(path + length - ending, kinds[k].ending)) return k;
    }
    return KINDS;
}

bool predictions_file_is_hdf5(const char *path) {
    const int kind = find_kind(path);
    return kind < KINDS && kinds[kind].write == write_hdf5_file;
}

bool predictions_file_is_csv(const char *path) {
    char begin[sizeof csv_columns - 1];
    const char *reason;
    FILE *file = regular_file_open(path, &reason);
    const bool same =
        file && fread(begin, sizeof begin, 1, file) == 1 && !memcmp(begin, csv_columns, sizeof begin);
    if (file) fclose(file);
    return same;
}

StatusCode predictions_file_check(const char *path, Status *status) {
    if (find_kind(path) == KINDS)
        return status_set(
            status, STATUS_USAGE,
            "--predictions %s: the name must end in .csv, .npz, .h5 or .hdf5, which says what is written.",
            path);
    return atomic_file_check(path, status);
}

StatusCode predictions_file_write(const char *path, const PredictionRows *rows, Status *status) {
    return kinds[find_kind(path)].write(path, rows, status);
}

static void add_attribute(Output *output, const H5File *file, const char *name, const char *title,
                          Status *status) {
    char *text = NULL;
    if (h5_has_attribute(file, "/", name) && !h5_get_text(file, "/", name, &text, status))
        output_text(output, name, title, text);
    mem_free(text);
}

static StatusCode count_correct(const H5File *file, int64_t n, int64_t *correct, Status *status) {
    const H5Shape shape = {1, {n}};
    uint8_t *labels = mem_new((size_t)n, sizeof *labels),
            *predictions = mem_new((size_t)n, sizeof *predictions);
    h5_read(file, "/label", H5_U8, shape, labels, status);
    h5_read(file, "/prediction", H5_U8, shape, predictions, status);
    *correct = 0;
    for (int64_t i = 0; i < n; i++)
        *correct += labels[i] == predictions[i];
    mem_free(labels);
    mem_free(predictions);
    return status->code;
}

StatusCode predictions_file_describe(Output *output, const H5File *file, Status *status) {
    H5Shape shape;
    int64_t correct;
    if (h5_shape(file, "/label", &shape, status) || count_correct(file, shape.dims[0], &correct, status))
        return status->code;
    output_record(output);
    output_text(output, "file", "file", h5_path(file));
    output_text(output, "kind", NULL, "predictions");
    output_text(output, "what", "kind", "predictions of a model");
    add_attribute(output, file, "model", "model", status);
    add_attribute(output, file, "model_digest", "its digest", status);
    add_attribute(output, file, "data", "dataset", status);
    add_attribute(output, file, "split", "part of the dataset", status);
    output_integer(output, "images", "images", shape.dims[0]);
    output_integer(output, "correct", "recognised", correct);
    output_note(output, "h5py and pandas read the predictions of each image.");
    return status->code;
}
