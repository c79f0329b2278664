#include "report/run_progress.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/path.h"
#include "model/phases.h"
#include "model/run_names.h"
#include "report/sparkline.h"
#include "store/checkpoint.h"
#include "store/config_store.h"
#include "store/metrics.h"

#include <math.h>
#include <stdio.h>

enum { CURVE_WIDTH = 50, RECENT_STEPS = 200 };

/* What a metrics file says. */
typedef struct {
    const H5File *file;
    Config *config;
    MetricsTable steps, epochs, phases, pairs; /* without rows: there are none */
    int64_t images;
} Course;

static StatusCode read_course(Course *course, const H5File *file, const ConfigTables *keys, Status *status) {
    *course = (Course){.file = file};
    if (metrics_check_kind(file, status) || config_store_read(file, keys, &course->config, status))
        return status->code;
    metrics_read_table_if_there(file, "/steps", &course->steps, status);
    metrics_read_table_if_there(file, "/epochs", &course->epochs, status);
    metrics_read_table_if_there(file, "/phases", &course->phases, status);
    metrics_read_table_if_there(file, "/pairs", &course->pairs, status);
    if (h5_has_attribute(file, "/run", "train_images"))
        h5_get_i64(file, "/run", "train_images", &course->images, status);
    return status->code;
}

static void course_free(Course *course) {
    config_destroy(&course->config);
    metrics_free_table(&course->steps);
    metrics_free_table(&course->epochs);
    metrics_free_table(&course->phases);
    metrics_free_table(&course->pairs);
}

static double last_of(const MetricsTable *table, const char *name) {
    const int c = metrics_column(table, name);
    return c < 0 || !table->rows ? NAN : table->values[(table->rows - 1) * table->columns + c];
}

/* Images of a step, counted from 1, of which an epoch has so many: its last one has what is left. */
static int64_t step_images(int64_t step, int64_t steps, int64_t batch, int64_t images) {
    return smaller(batch, images - (step - 1) % steps * batch);
}

/* By the last steps; NaN if there are none. */
static double images_per_second(const MetricsTable *table, int64_t steps, int64_t batch, int64_t images) {
    const int step = metrics_column(table, "step"), seconds = metrics_column(table, "seconds");
    double images_done = 0, sum_s = 0;
    for (int64_t i = larger(table->rows - RECENT_STEPS, 0); step >= 0 && seconds >= 0 && i < table->rows;
         i++) {
        const double *row = table->values + i * table->columns;
        images_done += (double)step_images((int64_t)row[step], steps, batch, images);
        sum_s += row[seconds];
    }
    return sum_s > 0 ? images_done / sum_s : NAN;
}

/* What an epoch takes beyond its steps: validation, and waiting for checkpoints. 0 before the first has
 * ended. */
static double epoch_end_seconds(const Course *course) {
    const double sum_s = phases_sum(&course->phases, PHASE_VALIDATE, "median_s") +
                         phases_sum(&course->phases, PHASE_CHECKPOINT, "median_s");
    return isfinite(sum_s) && course->epochs.rows ? sum_s / (double)course->epochs.rows : 0;
}

/* Members of an ensemble are merged one after another, so their steps don't say how far the whole is. */
static void count_steps(RunProgress *progress, const Course *course) {
    const int64_t images = course->images, batch = config_int(course->config, "cnn.batch"),
                  epochs = config_int(course->config, "cnn.epochs");
    if (images < 1 || metrics_column(&course->steps, "member") >= 0 ||
        metrics_column(&course->steps, "step") < 0)
        return;
    const int64_t steps = divide_up(images, batch);
    progress->all = epochs * steps;
    progress->done = (int64_t)last_of(&course->steps, "step");
    const int64_t images_done = progress->done / steps * images + progress->done % steps * batch;
    const double epochs_ended = last_of(&course->epochs, "epoch");
    progress->images_per_s = images_per_second(&course->steps, steps, batch, images);
    progress->left_s = (double)(epochs * images - images_done) / progress->images_per_s;
    if (epochs_ended > 0) progress->left_s += ((double)epochs - epochs_ended) * epoch_end_seconds(course);
}

bool run_progress_model_is_complete(const char *path) {
    char *folder = path_folder(path), *model = path_join(folder, RUN_MODEL);
    H5File *file = NULL;
    Status unreadable = {0};
    bool complete = false;
    if (!h5_open_verified(&file, model, NULL, &unreadable))
        checkpoint_is_complete(file, &complete, &unreadable);
    h5_close(&file, &unreadable);
    mem_free(model);
    mem_free(folder);
    return complete;
}

/* The metrics that a run goes on from may say that it was stopped, or that a shorter one was complete; and
 * the last metrics of a complete run may be missing. */
static void find_state(RunProgress *progress, const H5File *file, bool of_member, bool held, Status *status) {
    int64_t complete = 0, diverged = 0;
    const bool ended = h5_has_attribute(file, "/run", "complete");
    h5_get_f64(file, "/run", "seconds", &progress->seconds, status);
    if (ended) h5_get_i64(file, "/run", "complete", &complete, status);
    if (h5_has_attribute(file, "/run", "search_parts")) {
        h5_get_i64(file, "/run", "search_done", &progress->search_done, status);
        h5_get_i64(file, "/run", "search_parts", &progress->search_parts, status);
    }
    if (h5_has_attribute(file, "/run", "diverged")) h5_get_i64(file, "/run", "diverged", &diverged, status);
    if (held)
        progress->state = RUN_GOING_ON;
    else if ((complete && !of_member) || run_progress_model_is_complete(h5_path(file)))
        progress->state = RUN_COMPLETE;
    else if (diverged)
        progress->state = RUN_DIVERGED;
    else
        progress->state = ended && !complete ? RUN_STOPPED : RUN_ABANDONED;
}

/* The end of the rows from `begin` on that are of the same member; all rows where there are no members. */
static int64_t end_of_member(const MetricsTable *table, int64_t begin) {
    const int c = metrics_column(table, "member");
    const double *values = table->values;
    int64_t end = begin + 1;
    while (end < table->rows &&
           (c < 0 || values[end * table->columns + c] == values[begin * table->columns + c]))
        end++;
    return end;
}

/* A curve, or of an ensemble that is put together one for each member. */
static void add_curve(Output *output, const MetricsTable *table, const char *column, const char *title) {
    const int c = metrics_column(table, column), member = metrics_column(table, "member");
    for (int64_t begin = 0, end; c >= 0 && begin < table->rows; begin = end) {
        char curve[SPARKLINE_BYTES(CURVE_WIDTH)];
        const double *first = table->values + begin * table->columns;
        end = end_of_member(table, begin);
        const double last = first[(end - begin - 1) * table->columns + c];
        if (isnan(last)) continue;
        sparkline(first + c, end - begin, table->columns, CURVE_WIDTH, curve);
        output_record(output);
        output_text(output, "what", "", title);
        if (member >= 0) output_integer(output, "member", "member (from 0)", (int64_t)first[member]);
        output_text(output, "curve", "", curve);
        output_real(output, "last", "", last, "%.5g");
    }
}

static void add_place(Output *output, const Course *course, const RunProgress *progress) {
    char text[128];
    if (course->steps.rows && progress->all && metrics_column(&course->steps, "epoch") >= 0) {
        snprintf(text, sizeof text, "epoch %lld/%lld, step %lld/%lld (%.1f %%)",
                 (long long)last_of(&course->steps, "epoch"),
                 (long long)config_int(course->config, "cnn.epochs"), (long long)progress->done,
                 (long long)progress->all, 100 * (double)progress->done / (double)progress->all);
        output_text(output, "place", "at", text);
        output_real(output, "images_per_s", "images/s", progress->images_per_s, "%.0f");
        output_real(output, "left_s", "seconds left", progress->left_s, "%.0f");
    } else if (course->steps.rows && metrics_column(&course->steps, "member") < 0 &&
               metrics_column(&course->steps, "step") >= 0 && metrics_column(&course->steps, "epoch") >= 0) {
        snprintf(text, sizeof text, "epoch %lld/%lld, step %lld", (long long)last_of(&course->steps, "epoch"),
                 (long long)config_int(course->config, "cnn.epochs"),
                 (long long)last_of(&course->steps, "step"));
        output_text(output, "place", "at", text);
    } else if (progress->search_done < progress->search_parts) {
        output_integer(output, "search_done", "parts of the search for C and gamma done",
                       progress->search_done);
        output_integer(output, "search_parts", "of", progress->search_parts);
    } else if (course->pairs.rows) {
        output_integer(output, "pairs", "pairs solved", course->pairs.rows);
    }
    output_real(output, "seconds", progress->state == RUN_COMPLETE ? "seconds" : "seconds so far",
                progress->seconds, "%.0f");
}

static void add_run(Output *output, const Course *course, Status *status) {
    int64_t ranks = 0, threads = 0;
    char *hosts = NULL, text[64];
    h5_get_i64(course->file, "/run", "ranks", &ranks, status);
    h5_get_i64(course->file, "/run", "threads", &threads, status);
    if (h5_has_attribute(course->file, "/run", "host_names"))
        h5_get_text(course->file, "/run", "host_names", &hosts, status);
    output_text(output, "model", "model", config_text(course->config, "run.model"));
    snprintf(text, sizeof text, "%lld x %lld", (long long)ranks, (long long)threads);
    output_text(output, "workers", "ranks x threads", text);
    if (hosts) output_text(output, "hosts", "hosts", hosts);
    mem_free(hosts);
}

static void fill(Output *output, const Course *course, const RunProgress *progress, int member,
                 Status *status) {
    static const char *const states[] = {[RUN_GOING_ON] = "going on",
                                         [RUN_COMPLETE] = "complete",
                                         [RUN_STOPPED] = "stopped: continue it with --resume",
                                         [RUN_ABANDONED] =
                                             "nobody works on it any more: continue it with --resume",
                                         [RUN_DIVERGED] = "diverged: begin it anew with a lower cnn.lr"};
    output_record(output);
    output_text(output, "file", "file", h5_path(course->file));
    add_run(output, course, status);
    if (member >= 0) output_integer(output, "member", "member (from 0)", member);
    output_text(output, "state", "state", states[progress->state]);
    add_place(output, course, progress);
    output_begin(output, "curves", "curves", OUTPUT_TABLE);
    if (metrics_column(&course->steps, "member") < 0) { /* of an ensemble's members the epochs tell enough */
        add_curve(output, &course->steps, "loss", "loss of a step");
        add_curve(output, &course->steps, "lr", "learning rate");
    }
    add_curve(output, &course->epochs, "train_loss", "loss of an epoch");
    add_curve(output, &course->epochs, "train_accuracy", "training accuracy");
    add_curve(output, &course->epochs, "valid_loss", "held-out loss");
    add_curve(output, &course->epochs, "valid_accuracy", "held-out accuracy");
    add_curve(output, &course->pairs, "seconds", "seconds of a pair");
    output_end(output);
}

StatusCode run_progress_read(RunProgress *progress, const RunMetrics *metrics, const ConfigTables *keys,
                             bool held, Output *output, Status *status) {
    *progress = (RunProgress){.left_s = NAN, .images_per_s = NAN};
    H5File *file;
    Course course = {0};
    Status closed = {0};
    if (h5_open(&file, metrics->path, status)) return status->code;
    if (!read_course(&course, file, keys, status)) {
        find_state(progress, file, metrics->member >= 0, held, status);
        if (course.steps.rows) count_steps(progress, &course);
        if (progress->state != RUN_GOING_ON || metrics->member >= 0) progress->left_s = NAN;
        if (!status->code) fill(output, &course, progress, metrics->member, status);
    }
    course_free(&course);
    h5_close(&file, &closed);
    return status->code;
}
