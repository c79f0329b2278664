/* pardigits report: a page about some runs. All ranks predict, rank 0 writes. */
#include "cli/check_output.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/split.h"

#include "api/build_info.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/timer.h"
#include "ensemble/families.h"
#include "model/open_model.h"
#include "model/run_names.h"
#include "report/gnuplot.h"
#include "report/report.h"
#include "report/scaling_run.h"
#include "store/checkpoint.h"
#include "store/dataset.h"
#include "store/h5io.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    const char *data, *split, *out, *figures;
    int count;
    char **paths; /* [count] */
} ReportArguments;

/* A report in the making. */
typedef struct {
    const ReportArguments *arguments;
    const Context *context;
    Report *report;  /* NULL: not rank 0 */
    int unpredicted; /* complete or damaged runs without predictions */
    int unmeasured;  /* runs whose metrics can't be read */
} Making;

/* What there is of a run; paths are freed by run_files_free. */
typedef struct {
    char *model, *metrics;
    int has_model, has_metrics;
} RunFiles;

/* Whether a file that isn't a run's may be a model. A damaged one may, too. */
static bool may_be_model(const char *path) {
    char *format = h5_format(path);
    const bool may = format && (!*format || !strcmp(format, CHECKPOINT_FORMAT));
    mem_free(format);
    return may;
}

/* Collective: rank 0 looks. */
static StatusCode run_files_find(RunFiles *files, const char *path, const Context *context, Status *status) {
    *files = (RunFiles){model_path_of(path), path_join(path, RUN_METRICS), 0, 0};
    if (comm_rank(context->comm) == 0) {
        files->has_model = access(files->model, F_OK) == 0;
        files->has_metrics = path_is_folder(path) && access(files->metrics, F_OK) == 0;
        const bool is_run = path_is_folder(path)
                                ? files->has_model || files->has_metrics || model_is_awaited(files->model)
                                : may_be_model(path);
        if (!is_run && !model_check_there(files->model, status))
            status_set(status, STATUS_FAILED,
                       "%s isn't a run: expected a folder that `pardigits train --run` wrote, or a model.",
                       path);
    }
    comm_broadcast(context->comm, &files->has_model, sizeof files->has_model, 0);
    comm_broadcast(context->comm, &files->has_metrics, sizeof files->has_metrics, 0);
    return comm_agree(context->comm, status);
}

static void run_files_free(RunFiles *files) {
    mem_free(files->model);
    mem_free(files->metrics);
}

static StatusCode add_metrics(Report *report, const char *path, Status *status) {
    H5File *file;
    if (h5_open(&file, path, status)) return status->code;
    if (h5_lacks_sum(file)) h5_note_missing_sum(path);
    if (!metrics_check_kind(file, status)) report_add_metrics(report, file, status);
    return h5_close(&file, status);
}

/* The images of a set, as they were before a model's preprocessing; freed by image_set_free. */
static ImageSet copy_images(const ImageSet *set) {
    ImageSet copy = *set;
    copy.images = mem_copy(set->images, (size_t)(set->n * image_spec_pixels(set->spec)));
    copy.labels = mem_copy(set->labels, (size_t)set->n);
    return copy;
}

static void hand_over(const Making *making, const Model *model, const SplitImages *split, ImageSet *plain,
                      Prediction *predictions, double seconds) {
    char doubt[160];
    snprintf(doubt, sizeof doubt,
             "This isn't the dataset that the model was trained on: its training images are %s.",
             split->difference ? split->difference : "");
    report_add_predictions(
        making->report, model,
        &(ReportAsked){split->data, split->first, split->difference ? doubt : NULL, seconds}, plain,
        predictions);
}

/* What the model says of the images. Collective. */
static StatusCode predict_split(const Making *making, Model *model, SplitImages *split, Status *status) {
    const Context *context = making->context;
    ImageSet *set = &split->set;
    ModelImages images = {0};
    ImageSet plain = {0};
    if (making->report) plain = copy_images(set);
    Prediction *predictions = mem_new((size_t)set->n, sizeof *predictions);
    if (!model_images_create(model, set, &images, status)) {
        const double started_s = timer_now_s();
        model->family->predict(model, context, &images, predictions, NULL);
        const double seconds = comm_max(context->comm, timer_now_s() - started_s, NULL);
        if (making->report) {
            hand_over(making, model, split, &plain, predictions, seconds);
            predictions = NULL;
        }
    }
    mem_free(predictions);
    image_set_free(&plain);
    model_images_free(&images);
    return comm_agree(context->comm, status);
}

/* Says on the page, and in the log, why a run has no predictions there. */
static void note_no_predictions(const Making *making, const char *path, const char *why) {
    log_line(making->context->log, "%s is shown without predictions: %s", path, why);
    if (making->report) report_add_no_predictions(making->report, why);
}

/* What can't be read of one run doesn't keep the others from the page. */
static void go_on_without_predictions(Making *making, const char *path, const Status *why, Status *status) {
    if (why->code == STATUS_STOPPED) {
        *status = *why;
        return;
    }
    note_no_predictions(making, path, why->text);
    making->unpredicted++;
}

/* Of a model whose own dataset is gone, or lacks this part, or that takes other images than --data has, the
 * rest is shown nevertheless. Collective. */
static StatusCode add_predictions(Making *making, Model *model, const char *path, Status *status) {
    const ReportArguments *arguments = making->arguments;
    const Split split = {arguments->data, arguments->split, model};
    SplitImages images;
    Status unread = {0};
    if (model->family->load(model, making->context, &unread)) {
        go_on_without_predictions(making, path, &unread, status);
        return status->code;
    }
    if (!split_read(&split, making->context, &images, &unread))
        predict_split(making, model, &images, status);
    else
        go_on_without_predictions(making, path, &unread, status);
    split_images_free(&images);
    return comm_agree(making->context->comm, status);
}

/* A model may be awaited, which is no failure, or have been removed. Collective. */
static void add_no_model(Making *making, const char *path, const char *model, Status *status) {
    Status lost = {0};
    if (comm_rank(making->context->comm) == 0 && !model_is_awaited(model)) model_check_there(model, &lost);
    if (comm_agree(making->context->comm, &lost))
        go_on_without_predictions(making, path, &lost, status);
    else
        note_no_predictions(making, path, "it has no model yet");
}

/* Collective. */
static StatusCode add_model(Making *making, const char *path, Status *status) {
    Model model;
    bool complete = false;
    Status unread = {0};
    const Context *context = making->context;
    if (!model_open_file(context, &model_families, path, &model, &unread)) {
        checkpoint_is_complete(model.file, &complete, &unread);
        if (making->report) report_add_model(making->report, &model, &unread);
        comm_agree(context->comm, &unread);
    }
    if (unread.code)
        go_on_without_predictions(making, path, &unread, status);
    else if (complete)
        add_predictions(making, &model, path, status);
    else /* a run under way has none yet, which is no failure */
        note_no_predictions(making, path, "its training isn't finished");
    model_close(&model);
    return comm_agree(context->comm, status);
}

/* On rank 0. */
static void add_metrics_if_whole(Making *making, const char *path, const char *metrics) {
    Status unread = {0};
    if (!add_metrics(making->report, metrics, &unread)) return;
    log_line(making->context->log, "%s is shown without its metrics: %s", path, unread.text);
    report_add_no_metrics(making->report, unread.text);
    making->unmeasured++;
}

static StatusCode add_run(Making *making, const char *path, Status *status) {
    RunFiles files;
    const Context *context = making->context;
    if (!run_files_find(&files, path, context, status)) {
        log_line(context->log, "reading %s", path);
        if (making->report) report_begin_run(making->report, path);
        if (making->report && files.has_metrics) add_metrics_if_whole(making, path, files.metrics);
        if (files.has_model)
            add_model(making, files.model, status);
        else
            add_no_model(making, path, files.model, status);
    }
    run_files_free(&files);
    return comm_agree(context->comm, status);
}

/* On rank 0. Runs that can't be compared by speed just have no figure of it. */
static StatusCode write_page(const Report *report, const ReportArguments *arguments, Log *log,
                             Status *undrawn, Status *status) {
    char build[BUILD_INFO_LINE];
    ScalingRun *sizes = mem_new((size_t)arguments->count, sizeof *sizes);
    int sizes_read = 0;
    for (int r = 0; r < arguments->count; r++) {
        Status none = {0};
        if (scaling_run_read(&sizes[sizes_read], arguments->paths[r], &model_families.keys, SCALING_ACCURACY,
                             &none))
            scaling_run_free(&sizes[sizes_read]);
        else
            sizes_read++;
    }
    build_info_line(build);
    const ReportFiles files = {arguments->out, arguments->figures, build, sizes, sizes_read};
    gnuplot_note_missing(log);
    report_write(report, &files, undrawn, status);
    if (undrawn->code && status->code != STATUS_STOPPED)
        log_line(log, "figures are missing: %s", undrawn->text);
    if (!status->code) log_line(log, "%s is written: open it in a browser", arguments->out);
    for (int r = 0; r < sizes_read; r++)
        scaling_run_free(&sizes[r]);
    mem_free(sizes);
    return status->code;
}

/* What the page lacks. */
static void tell_gaps(const Making *making, const Status *undrawn, Status *status) {
    const ReportArguments *arguments = making->arguments;
    if (making->unpredicted)
        status_set(status, STATUS_FAILED, "%s lacks the predictions of %d of %d runs, for the reasons above.",
                   arguments->out, making->unpredicted, arguments->count);
    else if (making->unmeasured)
        status_set(status, STATUS_FAILED, "%s lacks the metrics of %d of %d runs, for the reasons above.",
                   arguments->out, making->unmeasured, arguments->count);
    else if (undrawn->code)
        status_set(status, STATUS_FAILED, "%s lacks figures, for the reason above.", arguments->out);
}

/* Collective. */
static StatusCode report_all(const ReportArguments *arguments, const Context *context, Status *status) {
    const bool first = comm_rank(context->comm) == 0;
    Report report = {0};
    Making making = {arguments, context, first ? &report : NULL, 0, 0};
    if (first) report = report_new(arguments->count, arguments->split);
    for (int r = 0; r < arguments->count && !status->code; r++)
        add_run(&making, arguments->paths[r], status);
    Status undrawn = {0};
    if (first && !status->code && !write_page(&report, arguments, context->log, &undrawn, status))
        tell_gaps(&making, &undrawn, status);
    if (first) report_free(&report);
    return comm_agree(context->comm, status);
}

/* Whether a file begins like a page. */
static bool is_page(const char *path) {
    static const char begin[] = "<!DOCTYPE html>";
    char found[sizeof begin - 1];
    FILE *file = fopen(path, "rb");
    const bool same =
        file && fread(found, sizeof found, 1, file) == 1 && !strncasecmp(found, begin, sizeof found);
    if (file) fclose(file);
    return same;
}

/* A page replaces pages only. Collective. */
static StatusCode check_page(const Context *context, const char *out, Status *status) {
    struct stat there;
    if (comm_rank(context->comm) == 0 && stat(out, &there) == 0 && there.st_size > 0 && !is_page(out))
        status_set(status, STATUS_USAGE,
                   "%s isn't a web page, and would be lost: name another file to be written.", out);
    return comm_agree(context->comm, status);
}

/* What can't be in a page at all is refused before anything is computed. Collective. */
static StatusCode check_inputs(const ReportArguments *arguments, const Context *context, Status *status) {
    RunFiles files;
    for (int r = 0; r < arguments->count && !status->code; r++) {
        run_files_find(&files, arguments->paths[r], context, status);
        run_files_free(&files);
    }
    if (status->code || !arguments->data) return status->code;
    Dataset dataset;
    dataset_open(arguments->data, context->comm, &dataset, status);
    dataset_close(&dataset);
    return status->code;
}

static StatusCode cmd_report(const Context *context, int argc, char **argv, Status *status) {
    ReportArguments arguments = {.split = "test", .out = "report.html", .paths = argv + 1};
    const Option options[] = {{.name = "data", .value = &arguments.data},
                              {.name = "split", .value = &arguments.split},
                              {.name = "out", .value = &arguments.out},
                              {.name = "figures", .value = &arguments.figures},
                              {0}};
    static const char *const names[] = {"RUN"};
    const Operands wanted = {1, argc, names};
    if (options_parse(argc, argv, options, &wanted, &arguments.count, status)) return status->code;
    if (split_check(arguments.split, status)) return status->code;
    if (comm_rank(context->comm) == 0) check_models_differ("", arguments.count, arguments.paths, status);
    if (comm_agree(context->comm, status)) return status->code;
    if (check_output(context, arguments.out, NULL, arguments.count, arguments.paths, status) ||
        check_page(context, arguments.out, status) || check_inputs(&arguments, context, status))
        return status->code;
    if (comm_rank(context->comm) == 0) make_output_folder("figures", arguments.figures, status);
    if (!comm_agree(context->comm, status)) report_all(&arguments, context, status);
    return status->code;
}

const Command command_report = {
    .name = "report",
    .run = cmd_report,
    .usage =
        "report RUN... [--out report.html] [--split train|valid|test] [--data FILE.h5] [--figures FOLDER]",
    .help = "Predicts the images of a part of the dataset by each run's model, and writes a page about the "
            "runs that a browser\n"
            "opens from disk: accuracies and tests between them, learning curves, confusion matrices that "
            "open their images,\n"
            "calibration, time, scaling, configurations. RUN is the folder of a run, or a model file.\n"
            "  --out         the page; default: report.html\n"
            "  --split       the part of the dataset; default: test\n"
            "  --data        the dataset; default: the one that each model was trained on\n"
            "  --figures     also writes the figures to FOLDER, as SVG and PNG (by gnuplot)",
};
