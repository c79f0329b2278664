#include "report/scaling_run.h"

#include "core/mem.h"
#include "core/path.h"
#include "model/model.h"
#include "model/open_model.h"
#include "model/phases.h"
#include "model/run_names.h"
#include "store/config_store.h"
#include "store/metrics.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* The metrics file that the user means; freed by the caller. NULL if there is none. */
static char *find_metrics(const char *path, Status *status) {
    struct stat facts;
    if (stat(path, &facts)) {
        status_set(status, STATUS_FAILED, "%s can't be read: %s; expected the folder of a run.", path,
                   strerror(errno));
        return NULL;
    }
    if (!S_ISDIR(facts.st_mode)) return mem_text(path);
    if (!path_holds(path, RUN_METRICS)) {
        char *model = model_path_of(path);
        model_check_there(model, status);
        mem_free(model);
        if (path_holds(path, RUN_MODEL) || path_holds(path, RUN_CONFIG))
            status_set(status, STATUS_FAILED,
                       "The run %s has no metrics.h5, which holds its times: train it again.", path);
        else
            status_set(status, STATUS_FAILED,
                       "%s isn't a run: expected a folder that `pardigits train --run` wrote.", path);
        return NULL;
    }
    return path_join(path, RUN_METRICS);
}

/* An attribute of /run that only some runs have. */
static double optional(const H5File *file, const char *name, Status *status) {
    double value = NAN;
    if (h5_has_attribute(file, "/run", name)) h5_get_f64(file, "/run", name, &value, status);
    return value;
}

/* As run_metrics_open writes it. */
static void read_hash(const H5File *file, const char *name, char hash[65], Status *status) {
    char *text = NULL;
    if (h5_has_attribute(file, "/run", name)) h5_get_text(file, "/run", name, &text, status);
    snprintf(hash, 65, "%s", text ? text : "");
    mem_free(text);
}

static void read_facts(ScalingRun *run, const H5File *file, Status *status) {
    if (!status->code && !h5_has_attribute(file, "/run", "train_images"))
        status_set(status, STATUS_FAILED,
                   "%s doesn't say on how many images it trained, as it is of an older version: train it "
                   "again.",
                   run->path);
    h5_get_i64(file, "/run", "ranks", &run->ranks, status);
    h5_get_i64(file, "/run", "threads", &run->threads, status);
    h5_get_i64(file, "/run", "hosts", &run->hosts, status);
    h5_get_i64(file, "/run", "train_images", &run->images, status);
    if (h5_has_attribute(file, "/run", "compared"))
        h5_get_i64(file, "/run", "compared", &run->compared, status);
    h5_get_text(file, "/run", "host_names", &run->host_names, status);
    h5_get_text(file, "/run", "binding", &run->binding, status);
    h5_get_text(file, "/run", "build", &run->build, status);
    read_hash(file, "train_images_sha256", run->source.images_sha256, status);
    read_hash(file, "train_labels_sha256", run->source.labels_sha256, status);
    run->seconds[SCALING_TRAINING] = optional(file, "train_s", status);
    run->seconds[SCALING_EVALUATION] = optional(file, "valid_s", status);
    run->accuracy = optional(file, "valid_accuracy", status);
    if (!status->code && (run->ranks < 1 || run->threads < 1 || run->hosts < 1 || run->images < 1))
        status_set(status, STATUS_FAILED,
                   "%s: ranks, threads, hosts and images must be at least 1: the file is damaged.",
                   h5_path(file));
}

/* Finished, in one go. */
static void check_state(const ScalingRun *run, const H5File *file, Status *status) {
    int64_t complete = 0, starts = 0;
    if (h5_has_attribute(file, "/run", "complete")) h5_get_i64(file, "/run", "complete", &complete, status);
    if (!status->code && !complete)
        status_set(status, STATUS_USAGE,
                   "The run %s isn't finished: wait for it, or continue it with `pardigits train ... "
                   "--resume`.",
                   run->path);
    h5_get_i64(file, "/run", "starts", &starts, status);
    if (!status->code && starts != 1)
        status_set(status, STATUS_USAGE,
                   "The run %s was stopped and resumed, so its times may be of several numbers of ranks: "
                   "train it again in one go (--overwrite).",
                   run->path);
}

/* The sum of a column from row `first` on; NaN if there is no such column. */
static double sum_column(const MetricsTable *table, const char *name, int64_t first) {
    const int c = metrics_column(table, name);
    double sum = c < 0 ? NAN : 0;
    for (int64_t i = first; c >= 0 && i < table->rows; i++)
        sum += table->values[i * table->columns + c];
    return sum;
}

/* Of a network alone: the members of an ensemble are trained side by side, so their epochs don't add up. */
static void read_epochs(ScalingRun *run, const MetricsTable *epochs, double accuracy) {
    if (!epochs->rows) return;
    if (metrics_column(epochs, "member") >= 0) {
        run->passes = epochs->rows;
        return;
    }
    const int64_t first = epochs->rows > 1;
    const double seconds = sum_column(epochs, "seconds", first);
    run->seconds[SCALING_TRAINING] = seconds / (double)(epochs->rows - first);
    run->wait_share = sum_column(epochs, "wait_s", first) / seconds;
    run->exposed_share = sum_column(epochs, "exposed_s", first) / seconds;
    const int seconds_at = metrics_column(epochs, "seconds"),
              accuracy_at = metrics_column(epochs, "valid_accuracy");
    double passed_s = 0;
    for (int64_t i = 0; i < epochs->rows && seconds_at >= 0 && accuracy_at >= 0; i++) {
        const double *row = epochs->values + i * epochs->columns;
        passed_s += row[seconds_at];
        run->accuracy = row[accuracy_at];
        if (isnan(run->accuracy_s) && run->accuracy >= accuracy) run->accuracy_s = passed_s;
    }
}

/* Of a training in rounds. */
static void read_phases(ScalingRun *run, const MetricsTable *phases) {
    const double wait_s = phases_sum(phases, PHASE_WAIT, "median_s");
    const double all_s =
        phases_sum(phases, PHASE_COMPUTE, "median_s") + wait_s + phases_sum(phases, PHASE_INPUT, "median_s");
    if (all_s > 0 && run->seconds[SCALING_TRAINING] > 0) run->wait_share = wait_s / all_s;
}

static void read_times(ScalingRun *run, const H5File *file, double accuracy, Status *status) {
    MetricsTable epochs = {0}, phases = {0};
    run->passes = 1;
    if (!status->code && run->accuracy >= accuracy) run->accuracy_s = run->seconds[SCALING_TRAINING];
    if (!status->code && h5_exists(file, "/epochs") && !metrics_read_table(file, "/epochs", &epochs, status))
        read_epochs(run, &epochs, accuracy);
    else if (!status->code && h5_exists(file, "/phases") &&
             !metrics_read_table(file, "/phases", &phases, status))
        read_phases(run, &phases);
    metrics_free_table(&phases);
    metrics_free_table(&epochs);
    bool timed = false;
    for (int m = 0; m < SCALING_MEASURES; m++)
        timed = timed || run->seconds[m] > 0;
    if (!status->code && !timed)
        status_set(status, STATUS_USAGE,
                   "The run %s times nothing: its training has nothing to compute; hold images out "
                   "(run.valid) to time their prediction.",
                   run->path);
}

static void read_config(ScalingRun *run, const H5File *file, const ConfigTables *keys, Status *status) {
    if (status->code || config_store_read(file, keys, &run->config, status)) return;
    run->valid = config_int(run->config, "run.valid");
    if (!strcmp(config_text(run->config, "run.model"), "cnn"))
        run->batch = config_int(run->config, "cnn.batch");
}

StatusCode scaling_run_read(ScalingRun *run, const char *path, const ConfigTables *keys, double accuracy,
                            Status *status) {
    *run = (ScalingRun){.path = mem_text(path), .wait_share = NAN, .exposed_share = NAN, .accuracy_s = NAN};
    char *metrics = find_metrics(path, status);
    H5File *file = NULL;
    if (metrics && !h5_open(&file, metrics, status)) {
        metrics_check_kind(file, status);
        read_facts(run, file, status);
        if (!status->code) check_state(run, file, status);
        read_config(run, file, keys, status);
        read_times(run, file, accuracy, status);
    }
    Status ignored = {0};
    h5_close(&file, &ignored);
    mem_free(metrics);
    return status->code;
}

void scaling_run_free(ScalingRun *run) {
    config_destroy(&run->config);
    mem_free(run->host_names);
    mem_free(run->binding);
    mem_free(run->build);
    mem_free(run->path);
    *run = (ScalingRun){0};
}
