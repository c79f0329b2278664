/* pardigits show: what is in a file of ours. Rank 0 works alone. */
#include "cli/cli.h"

#include "cli/dataset_output.h"
#include "core/mem.h"
#include "model/draw.h"
#include "store/dataset.h"
#include "store/h5io.h"
#include "store/metrics.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_ROWS = 20 };

/* What visiting the objects of a file carries along. */
typedef struct {
    const H5File *file;
    Output *output;
} Visit;

static void add_array(const char *path, bool is_array, void *context) {
    const Visit *visit = context;
    H5Shape shape;
    Status ignored = {0};
    char text[128] = "";
    if (!is_array || h5_shape(visit->file, path, &shape, &ignored)) return;
    for (int i = 0; i < shape.rank; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%lld", i ? " x " : "", (long long)shape.dims[i]);
    }
    output_record(visit->output);
    output_text(visit->output, "array", "", path);
    output_text(visit->output, "shape", "", text);
}

/* The keys of all runs and of this model's family. */
static void add_config(Output *output, const Config *config) {
    const char *model = config_text(config, "run.model");
    output_begin(output, "configuration", "configuration", OUTPUT_TABLE);
    for (int i = 0; i < config_count(config); i++) {
        const char *name = config_key(config, i)->name;
        if (strncmp(name, "run.", 4) && strncmp(name, model, strlen(model))) continue;
        output_record(output);
        output_text(output, "key", "", name);
        output_text(output, "value", "", config_value(config, name));
    }
    output_end(output);
}

/* How many images of each class a part holds; counts[CLASSES_MAX]. */
static StatusCode count_labels(const H5File *file, const char *part, int64_t n, int64_t *counts,
                               Status *status) {
    char path[64];
    snprintf(path, sizeof path, "/%s/labels", part);
    uint8_t *labels = mem_new((size_t)n, 1);
    h5_read(file, path, H5_U8, (H5Shape){1, {n}}, labels, status);
    for (int64_t i = 0; i < n && !status->code; i++)
        counts[labels[i]]++;
    mem_free(labels);
    return status->code;
}

static StatusCode show_dataset(Output *output, const Dataset *dataset, const char *out, Status *status) {
    H5File *file;
    const ClassNames *names = &dataset->class_names;
    int64_t train[CLASSES_MAX] = {0}, test[CLASSES_MAX] = {0};
    if (h5_open(&file, dataset->path, status)) return status->code;
    if (!count_labels(file, "train", dataset->train, train, status) &&
        !(dataset->test && count_labels(file, "test", dataset->test, test, status))) {
        output_dataset(output, dataset, train, test);
        if (out) draw_labelled_images(file, "/train/images", "/train/labels", names, out, status);
    }
    return h5_close(&file, status);
}

static StatusCode show_model(Output *output, const Model *model, const char *out, Status *status) {
    char *digest = NULL, about[128] = "", what[64];
    int64_t complete = 0;
    h5_get_text(model->file, "/", "digest", &digest, status);
    h5_get_i64(model->file, "/state", "complete", &complete, status);
    if (status->code) return status->code;
    model->family->describe(model, about, sizeof about);
    snprintf(what, sizeof what, "%s model", model->family->name);
    output_record(output);
    output_text(output, "file", "file", h5_path(model->file));
    output_text(output, "kind", NULL, "model");
    output_text(output, "family", NULL, model->family->name);
    output_text(output, "what", "kind", what);
    output_text(output, "about", "about", about);
    output_bool(output, "complete", NULL, complete != 0);
    output_text(output, "training", "training",
                complete ? "complete" : "was stopped: continue it with `pardigits train ... --resume`");
    output_text(output, "digest", "digest", digest);
    output_shape(output, model->spec);
    add_config(output, model->config);
    if (h5_exists(model->file, "/model")) {
        Visit visit = {model->file, output};
        output_begin(output, "arrays", "arrays", OUTPUT_TABLE);
        h5_visit(model->file, "/model", add_array, &visit, status);
        output_end(output);
    }
    mem_free(digest);
    if (out && !status->code) model->family->draw(model, out, status);
    return status->code;
}

/* People see the last rows, programs all. */
static void add_table(const char *path, bool is_array, void *context) {
    const Visit *visit = context;
    MetricsTable table;
    Status status = {0};
    char title[96];
    if (!is_array || metrics_read_table(visit->file, path, &table, &status)) return;
    const bool text = output_format(visit->output) == OUTPUT_TEXT;
    const int64_t skipped = text && table.rows > SHOWN_ROWS ? table.rows - SHOWN_ROWS : 0;
    snprintf(title, sizeof title, "%s: %lld row%s%s", path, (long long)table.rows, table.rows == 1 ? "" : "s",
             skipped ? ", the last of them" : "");
    output_begin(visit->output, path + 1, title, OUTPUT_TABLE);
    for (int64_t r = skipped; r < table.rows; r++) {
        output_record(visit->output);
        for (int c = 0; c < table.columns; c++) {
            const char *name = table.names[c], *word = metrics_table_word(&table, r, c);
            if (word)
                output_text(visit->output, name, name, word);
            else
                output_real(visit->output, name, name, table.values[r * table.columns + c], "%.8g");
        }
    }
    output_end(visit->output);
    metrics_free_table(&table);
}

/* Where and with what the run was made; files of older versions don't say. */
static void add_circumstances(Output *output, const H5File *file) {
    int64_t images = 0;
    Status ignored = {0};
    if (h5_has_attribute(file, "/run", "train_images") &&
        !h5_get_i64(file, "/run", "train_images", &images, &ignored))
        output_integer(output, "train_images", "training images", images);
    static const char *const facts[][2] = {
        {"host_names", "hosts"}, {"binding", "binding"}, {"build", "build"}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        char *text = NULL;
        if (h5_has_attribute(file, "/run", facts[i][0]) &&
            !h5_get_text(file, "/run", facts[i][0], &text, &ignored))
            output_text(output, facts[i][0], facts[i][1], text);
        mem_free(text);
    }
}

static StatusCode show_metrics(Output *output, const char *path, const char *out, Status *status) {
    if (out)
        return status_set(status, STATUS_USAGE, "%s holds metrics, which --out can't draw: omit it.", path);
    H5File *file;
    if (h5_open(&file, path, status)) return status->code;
    int64_t ranks = 0, threads = 0;
    double seconds = 0;
    h5_get_i64(file, "/run", "ranks", &ranks, status);
    h5_get_i64(file, "/run", "threads", &threads, status);
    h5_get_f64(file, "/run", "seconds", &seconds, status);
    if (!status->code) {
        Visit visit = {file, output};
        output_record(output);
        output_text(output, "file", "file", path);
        output_text(output, "kind", NULL, "metrics");
        output_text(output, "what", "kind", "metrics of a run");
        output_integer(output, "ranks", "ranks", ranks);
        output_integer(output, "threads", "threads of each", threads);
        output_real(output, "seconds", "seconds", seconds, "%.1f");
        add_circumstances(output, file);
        h5_visit(file, "/", add_table, &visit, status);
    }
    return h5_close(&file, status);
}

/* The kind of a file of ours: the attribute `format` of the file, of which rank 0 tells the others. */
static StatusCode read_kind(const Context *context, const char *path, char kind[32], Status *status) {
    memset(kind, 0, 32);
    if (comm_rank(context->comm) == 0) {
        H5File *file;
        char *format = NULL;
        h5_open(&file, path, status);
        if (file && h5_has_attribute(file, "/", "format")) h5_get_text(file, "/", "format", &format, status);
        if (format) snprintf(kind, 32, "%s", format);
        h5_close(&file, status);
        mem_free(format);
    }
    comm_broadcast(context->comm, kind, 32, 0);
    return comm_agree(context->comm, status);
}

/* Collective. */
static StatusCode show(const Context *context, const char *path, const char *out, Output *output,
                       Status *status) {
    char kind[32];
    const bool first = comm_rank(context->comm) == 0;
    if (read_kind(context, path, kind, status)) return status->code;
    if (!strcmp(kind, "pardigits model")) {
        Model model;
        model_open_file(context, &model_families, path, &model, status);
        if (first && !status->code) show_model(output, &model, out, status);
        model_close(&model);
    } else if (!strcmp(kind, "pardigits dataset")) {
        Dataset dataset;
        if (!dataset_open(path, context->comm, &dataset, status) && first) {
            if (dataset.lacks_sum) h5_note_missing_sum(path);
            show_dataset(output, &dataset, out, status);
        }
        dataset_close(&dataset);
    } else if (!strcmp(kind, "pardigits metrics")) {
        if (first) show_metrics(output, path, out, status);
    } else {
        status_set(status, STATUS_FAILED, "%s is an HDF5 file, but not one that pardigits wrote.", path);
    }
    return comm_agree(context->comm, status);
}

StatusCode cmd_show(const Context *context, int argc, char **argv, Status *status) {
    const char *out = NULL;
    OutputFormat format = OUTPUT_TEXT;
    int operands;
    const Option options[] = {{.name = "out", .value = &out}, OPTIONS_OF_FORMAT(&format), {0}};
    static const char *const names[] = {"FILE.h5"};
    const Operands wanted = {1, 1, names};
    if (options_parse(argc, argv, options, &wanted, &operands, status)) return status->code;
    char *path = model_path_of(argv[1]);
    Output *output = output_create(format, OUTPUT_LINES);
    if (!(out && check_output(context, out, 1, &path, status)) && !show(context, path, out, output, status) &&
        comm_rank(context->comm) == 0)
        output_print(output);
    output_destroy(&output);
    mem_free(path);
    return finish_output(status);
}
