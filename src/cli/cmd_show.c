/* pardigits show: what is in a file of ours. Rank 0 works alone. */
#include "cli/check_output.h"
#include "cli/cli.h"
#include "cli/dataset_output.h"
#include "cli/dataset_survey.h"
#include "cli/options.h"

#include "core/mem.h"
#include "ensemble/families.h"
#include "model/draw.h"
#include "model/open_model.h"
#include "report/describe.h"
#include "report/predictions_file.h"
#include "store/checkpoint.h"
#include "store/dataset.h"
#include "store/h5io.h"
#include "store/metrics.h"

#include <stdio.h>
#include <string.h>

static StatusCode draw_dataset(const H5File *file, const Dataset *dataset, const Survey *train,
                               const char *out, Log *log, Status *status) {
    uint8_t *means = survey_means(train);
    draw_labelled_images(file, "/train/images", "/train/labels", &dataset->class_names, means, out, log,
                         status);
    mem_free(means);
    return status->code;
}

static StatusCode show_dataset(Output *output, const Dataset *dataset, const char *out, Log *log,
                               Status *status) {
    H5File *file;
    Survey train = {0}, test = {0};
    if (h5_open_verified(&file, dataset->path, NULL, status)) return status->code;
    if (!dataset_survey(file, dataset, "train", &train, status) &&
        !dataset_survey(file, dataset, "test", &test, status)) {
        output_dataset(output, dataset, train.counts, test.counts);
        output_surveys(output, &train, &test);
        survey_hint_at_faint(log, "training", train.brightest);
        if (test.n) survey_hint_at_faint(log, "test", test.brightest);
        if (out) draw_dataset(file, dataset, &train, out, log, status);
    }
    survey_free(&train);
    survey_free(&test);
    return h5_close(&file, status);
}

static StatusCode show_model(Output *output, const Model *model, const char *out, Log *log, Status *status) {
    if (!describe_model(output, model, status) && out) model->family->draw(model, out, log, status);
    return status->code;
}

static StatusCode check_no_drawing(const char *path, const char *out, const char *what, Status *status) {
    if (out) status_set(status, STATUS_USAGE, "%s holds %s, which --out can't draw: omit it.", path, what);
    return status->code;
}

static StatusCode show_metrics(Output *output, const char *path, const char *out, Status *status) {
    H5File *file;
    if (check_no_drawing(path, out, "metrics", status) || h5_open(&file, path, status)) return status->code;
    if (h5_lacks_sum(file)) h5_note_missing_sum(path);
    describe_metrics(output, file, NULL, status);
    return h5_close(&file, status);
}

static StatusCode show_predictions(Output *output, const char *path, const char *out, Status *status) {
    H5File *file;
    if (check_no_drawing(path, out, "predictions", status) || h5_open(&file, path, status))
        return status->code;
    if (h5_lacks_sum(file)) h5_note_missing_sum(path);
    predictions_file_describe(output, file, status);
    return h5_close(&file, status);
}

/* The kind of a file of ours: the attribute `format` of the file, of which rank 0 tells the others. */
static StatusCode read_kind(const Context *context, const char *path, char kind[32], Status *status) {
    memset(kind, 0, 32);
    if (comm_rank(context->comm) == 0) {
        H5File *file = NULL;
        char *format = NULL;
        if (predictions_file_is_csv(path))
            status_set(status, STATUS_USAGE,
                       "%s holds predictions as CSV, which spreadsheets and pandas read; show reads those "
                       "of --predictions FILE.h5.",
                       path);
        if (!model_check_there(path, status)) h5_open(&file, path, status);
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
    if (!strcmp(kind, CHECKPOINT_FORMAT)) {
        Model model;
        model_open_file(context, &model_families, path, &model, status);
        if (first && !status->code) show_model(output, &model, out, context->log, status);
        model_close(&model);
    } else if (!strcmp(kind, DATASET_FORMAT)) {
        Dataset dataset;
        if (!dataset_open(path, context->comm, &dataset, status) && first) {
            dataset_print_notes(&dataset);
            show_dataset(output, &dataset, out, context->log, status);
        }
        dataset_close(&dataset);
    } else if (!strcmp(kind, METRICS_FORMAT)) {
        if (first) show_metrics(output, path, out, status);
    } else if (!strcmp(kind, PREDICTIONS_FORMAT)) {
        if (first) show_predictions(output, path, out, status);
    } else {
        status_set(status, STATUS_FAILED,
                   "%s is an HDF5 file, but no dataset, model, metrics or predictions of pardigits: its "
                   "attribute `format` of / is %s%s%s.",
                   path, *kind ? "\"" : "", *kind ? kind : "missing", *kind ? "\"" : "");
    }
    return comm_agree(context->comm, status);
}

static StatusCode cmd_show(const Context *context, int argc, char **argv, Status *status) {
    const char *out = NULL;
    OutputFormat format = OUTPUT_TEXT;
    int operands;
    const Option options[] = {{.name = "out", .value = &out}, OPTIONS_OF_FORMAT(&format), {0}};
    static const char *const names[] = {"FILE.h5"};
    const Operands wanted = {1, 1, names};
    if (options_parse(argc, argv, options, &wanted, &operands, status)) return status->code;
    char *path = model_path_of(argv[1]);
    Output *output = output_create(format, OUTPUT_LINES);
    if (!(out && (check_output(context, out, NULL, 1, &path, status) || check_png(out, status))) &&
        !show(context, path, out, output, status) && comm_rank(context->comm) == 0)
        output_print(output);
    output_destroy(&output);
    mem_free(path);
    return status->code;
}

const Command command_show = {
    .name = "show",
    .run = cmd_show,
    .usage = "show FILE.h5 [--out SHEET.png] [--json | --csv]",
    .help = "Describes a dataset, a model, or a file of metrics or of predictions. --out also draws samples "
            "of a dataset\n"
            "or model, or a CNN's first filters.",
};
