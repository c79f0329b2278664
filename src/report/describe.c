#define _GNU_SOURCE /* strverscmp */
#include "report/describe.h"

#include "core/mem.h"
#include "model/run_options.h"
#include "report/sparkline.h"
#include "store/checkpoint.h"
#include "store/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_ROWS = 20, SHOWN_ARRAYS = 200, CURVE_WIDTH = 60 };

/* What visiting the objects of a file carries along. */
typedef struct {
    const H5File *file;
    Output *output;
    const char *but;
} Visit;

void describe_shape(Output *output, ImageSpec spec) {
    char text[64];
    snprintf(text, sizeof text, "%dx%d, %d classes", spec.height, spec.width, spec.classes);
    output_text(output, "shape", "images", text);
    output_integer(output, "height", NULL, spec.height);
    output_integer(output, "width", NULL, spec.width);
    output_integer(output, "classes", NULL, spec.classes);
}

/* The arrays that are found. */
typedef struct {
    int count;
    char **paths; /* [count] owned, or NULL: they are counted only */
} Arrays;

static void find_array(const char *path, bool is_array, void *context) {
    Arrays *arrays = context;
    if (is_array && arrays->paths) arrays->paths[arrays->count] = mem_text(path);
    arrays->count += is_array;
}

/* Numbers in names count as such: 0_2 comes before 0_10. */
static int compare_paths(const void *a, const void *b) {
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static void add_array(Output *output, const H5File *file, const char *path) {
    H5Shape shape;
    Status ignored = {0};
    char text[H5_SHAPE_TEXT];
    if (h5_shape(file, path, &shape, &ignored)) return;
    h5_print_shape(shape, text, sizeof text);
    output_record(output);
    output_text(output, "array", "", path);
    output_text(output, "shape", "", text);
}

static StatusCode add_arrays(Output *output, const H5File *file, Status *status) {
    Arrays arrays = {0};
    if (h5_visit(file, "/model", find_array, &arrays, status)) return status->code;
    const int all = arrays.count,
              shown = output_format(output) == OUTPUT_TEXT && all > SHOWN_ARRAYS ? SHOWN_ARRAYS : all;
    arrays = (Arrays){0, mem_new((size_t)arrays.count, sizeof *arrays.paths)};
    char title[64] = "arrays";
    if (shown < all) snprintf(title, sizeof title, "arrays, the first %d of %d (--json has all)", shown, all);
    output_begin(output, "arrays", title, OUTPUT_TABLE);
    h5_visit(file, "/model", find_array, &arrays, status);
    qsort(arrays.paths, (size_t)arrays.count, sizeof *arrays.paths, compare_paths);
    for (int i = 0; i < arrays.count; i++) {
        if (i < shown) add_array(output, file, arrays.paths[i]);
        mem_free(arrays.paths[i]);
    }
    output_end(output);
    mem_free(arrays.paths);
    return status->code;
}

/* The keys of all runs and of this model's family, as far as their values are known. */
static void add_config(Output *output, const Model *model) {
    const Config *config = model->config;
    const ModelFamily *family = model->family;
    output_begin(output, "configuration", "configuration", OUTPUT_TABLE);
    for (int i = 0; i < config_count(config); i++) {
        const char *name = config_key(config, i)->name;
        if (run_key_is_unused(config, name)) continue;
        if (family->lacks_key && family->lacks_key(model, name)) continue;
        output_record(output);
        output_text(output, "key", "", name);
        output_text(output, "value", "", config_value(config, name));
    }
    output_end(output);
}

/* By their first digits for people, as in messages; all of them for programs. */
static StatusCode add_builds(Output *output, const H5File *file, Status *status) {
    char *builds = NULL, *rest = NULL;
    if (checkpoint_builds(file, &builds, status)) return status->code;
    const size_t most = strlen(builds) / 2 + 1;
    char **all = mem_new(most, sizeof *all), *text = mem_new(10 * most, 1);
    int count = 0;
    for (char *build = strtok_r(builds, " ", &rest); build; build = strtok_r(NULL, " ", &rest)) {
        sprintf(text + strlen(text), "%s%.8s", count ? " " : "", build);
        all[count++] = build;
    }
    if (output_format(output) == OUTPUT_JSON)
        output_texts(output, "builds", all, count);
    else if (count)
        output_text(output, "builds", "trained by builds", text);
    mem_free(text);
    mem_free(all);
    mem_free(builds);
    return STATUS_OK;
}

StatusCode describe_model(Output *output, const Model *model, Status *status) {
    char *digest = NULL, about[128] = "", what[64];
    int64_t complete = 0;
    if (h5_get_i64(model->file, "/state", "complete", &complete, status) ||
        h5_get_text(model->file, "/", "digest", &digest, status))
        return status->code;
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
                complete ? "complete"
                         : "isn't complete: it goes on, or `pardigits train ... --resume` continues it");
    output_text(output, "digest", "digest", digest);
    add_builds(output, model->file, status);
    describe_shape(output, model->spec);
    add_config(output, model);
    if (model->family->list_layers) model->family->list_layers(model, output);
    if (h5_exists(model->file, "/model")) add_arrays(output, model->file, status);
    mem_free(digest);
    return status->code;
}

static void add_row(Output *output, const MetricsTable *table, int64_t row) {
    output_record(output);
    for (int c = 0; c < table->columns; c++) {
        const char *name = table->names[c], *word = metrics_table_word(table, row, c);
        if (word)
            output_text(output, name, name, word);
        else
            output_real(output, name, name, table->values[row * table->columns + c], "%.8g");
    }
}

/* For people: how each column but the first, which counts, goes. Tables whose rows aren't points in time have
 * words or classes in them; those of an ensemble have the members one after another. */
static void add_curves(Output *output, const char *path, const MetricsTable *table) {
    const bool in_time = !strcmp(path, "/epochs") || !strcmp(path, "/steps");
    if (!in_time || table->rows < 2 || metrics_column(table, "member") >= 0) return;
    output_begin(output, "curves", "curves", OUTPUT_TABLE);
    for (int c = 1; c < table->columns; c++) {
        char curve[SPARKLINE_BYTES(CURVE_WIDTH)];
        const double *column = table->values + c;
        if (!strcmp(table->names[c], "epoch")) continue;
        if (!sparkline(column, table->rows, table->columns, CURVE_WIDTH, curve)) continue;
        output_record(output);
        output_text(output, "column", "column", table->names[c]);
        output_real(output, "first", "first", *column, "%.6g");
        output_text(output, "curve", "course", curve);
        output_real(output, "last", "last", column[(table->rows - 1) * table->columns], "%.6g");
    }
    output_end(output);
}

/* People see the last rows, programs all. */
static void add_table(const char *path, bool is_array, void *context) {
    const Visit *visit = context;
    MetricsTable table;
    Status status = {0};
    char title[96];
    if (!is_array || (visit->but && !strcmp(path, visit->but)) ||
        metrics_read_table(visit->file, path, &table, &status))
        return;
    const bool text = output_format(visit->output) == OUTPUT_TEXT;
    const int64_t skipped = text && table.rows > SHOWN_ROWS ? table.rows - SHOWN_ROWS : 0;
    snprintf(title, sizeof title, "%s: %lld row%s%s", path, (long long)table.rows, table.rows == 1 ? "" : "s",
             skipped ? ", the last of them" : "");
    output_begin(visit->output, path + 1, title, OUTPUT_TABLE);
    for (int64_t r = skipped; r < table.rows; r++)
        add_row(visit->output, &table, r);
    output_end(visit->output);
    if (text) add_curves(visit->output, path, &table);
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

StatusCode describe_metrics(Output *output, const H5File *file, const char *but, Status *status) {
    int64_t ranks = 0, threads = 0;
    double seconds = 0;
    h5_get_i64(file, "/run", "ranks", &ranks, status);
    h5_get_i64(file, "/run", "threads", &threads, status);
    h5_get_f64(file, "/run", "seconds", &seconds, status);
    if (status->code) return status->code;
    Visit visit = {file, output, but};
    output_record(output);
    output_text(output, "file", "file", h5_path(file));
    output_text(output, "kind", NULL, "metrics");
    output_text(output, "what", "kind", "metrics of a run");
    output_integer(output, "ranks", "ranks", ranks);
    output_integer(output, "threads", "threads of each", threads);
    output_real(output, "seconds", "seconds", seconds, "%.1f");
    add_circumstances(output, file);
    return h5_visit(file, "/", add_table, &visit, status);
}
