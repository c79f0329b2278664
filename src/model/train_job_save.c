#include "model/train_job_save.h"

#include "core/mem.h"
#include "core/path.h"
#include "parallel/stop.h"
#include "store/run_lock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char train_job_resume_advice[] = "run it again with --resume";

/* What is to be saved. */
typedef struct {
    bool complete;
    int64_t streamed_bytes;
    CheckpointWriter write;
    const void *context;
} Content;

CheckpointInfo train_job_info(const TrainJob *job, bool complete) {
    return (CheckpointInfo){.config = job->config,
                            .source = &job->source,
                            .spec = job->spec,
                            .class_names = &job->class_names,
                            .builds = job->builds,
                            .init = job->init_digest,
                            .complete = complete};
}

static StatusCode save_to(const TrainJob *job, const char *path, const Content *content, Status *status) {
    CheckpointInfo info = train_job_info(job, content->complete);
    info.streamed_bytes = content->streamed_bytes;
    const double traced_s = trace_begin(trace_thread(job->trace, 0));
    phase_clock_take(job->phases, PHASE_COMPUTE);
    progress_enter(comm_progress(job->comm), PROGRESS_CHECKPOINT, 0);
    checkpoint_save(path, job->comm, &info, content->write, content->context, status);
    phase_clock_take(job->phases, PHASE_CHECKPOINT);
    trace_end(trace_thread(job->trace, 0), TRACE_CHECKPOINT, traced_s, 0, 0);
    return status->code;
}

void train_job_tell_unsaved(const TrainJob *job, const Status *metrics, const Status *model) {
    if (!metrics->code && !model->code) return;
    if (run_lock_is_lost(job->model_path)) {
        if (stop_request())
            log_line(job->log, "%s Training ends here.", model->code ? model->text : metrics->text);
        return;
    }
    if (metrics->code) log_line(job->log, "%s Training goes on.", metrics->text);
    if (model->code) log_line(job->log, "%s There is no new checkpoint; training goes on.", model->text);
}

void train_job_flush_metrics(const TrainJob *job) {
    Status failure = {0}, none = {0};
    metrics_flush(job->metrics, &failure);
    train_job_tell_unsaved(job, &failure, &none);
}

/* RUN-DIGITS/model.h5 in run.fallback_dir, or RUN-DIGITS-2/model.h5 and so on. Freed by the caller. */
static char *numbered_path(const char *path, int number) {
    char *folder = path_folder(path);
    const size_t size = strlen(folder) + 16;
    char *numbered = mem_new(size, 1);
    snprintf(numbered, size, "%s-%d", folder, number);
    char *whole = path_join(number > 1 ? numbered : folder, path_name(path));
    mem_free(numbered);
    mem_free(folder);
    return whole;
}

/* A path that is free: meanwhile another run, whose folder had this one's name, may have saved its model
 * there. Freed by the caller; collective. */
static char *free_fallback_path(const TrainJob *job) {
    int number = 0;
    char *path = NULL;
    do {
        mem_free(path);
        path = numbered_path(job->fallback_path, ++number);
    } while (comm_rank(job->comm) == 0 && access(path, F_OK) == 0);
    mem_free(path);
    comm_broadcast(job->comm, &number, sizeof number, 0);
    return numbered_path(job->fallback_path, number);
}

/* The metrics, beside a model that was saved elsewhere: those in the run's folder may be another run's. */
static void save_metrics_beside(const TrainJob *job, const char *folder, bool complete) {
    Status failure = {0};
    metrics_set_count(job->metrics, "complete", complete);
    if (metrics_flush_in(job->metrics, folder, &failure)) log_line(job->log, "%s", failure.text);
    metrics_set_count(job->metrics, "complete", 0);
}

/* Where to move what was saved elsewhere: the run's folder, also one that was renamed; NULL: it is gone, or
 * its name is another run's. Freed by the caller. */
static char *home_of(const TrainJob *job) {
    if (!run_lock_is_lost(job->model_path)) return path_folder(job->model_path);
    char *model = run_lock_present(job->model_path), *folder = model ? path_folder(model) : NULL;
    mem_free(model);
    return folder;
}

/* Tries another folder, and adds to status what came of it. */
static StatusCode save_elsewhere(const TrainJob *job, const Content *content, Status *status) {
    if (!job->fallback_path) return status->code;
    const Status first = *status;
    Status second = {0};
    char *path = free_fallback_path(job), *folder = path_folder(path), *home = home_of(job);
    if (comm_rank(job->comm) == 0)
        mkdir(folder, 0777); /* it may be there; if it can't be made, nor can the file */
    *status = (Status){0};
    if (save_to(job, path, content, &second)) {
        status_set(status, first.code, "%s Nor could it be saved in run.fallback_dir: %s", first.text,
                   second.text);
    } else {
        save_metrics_beside(job, folder, content->complete);
        status_set(status, first.code,
                   "%s It was saved as %s instead: move the files of that folder to %s, and %s.", first.text,
                   path, home ? home : "an empty one that --run names", train_job_resume_advice);
    }
    mem_free(home);
    mem_free(folder);
    mem_free(path);
    return status->code;
}

StatusCode train_job_save_streamed(const TrainJob *job, bool complete, int64_t bytes, CheckpointWriter write,
                                   const void *context, Status *status) {
    const Content content = {complete, bytes, write, context};
    if (status->code) return status->code;
    if (complete) {
        metrics_set_count(job->metrics, "complete", 1);
        train_job_flush_metrics(job);
    }
    if (save_to(job, job->model_path, &content, status) == STATUS_OK) return STATUS_OK;
    metrics_set_count(job->metrics, "complete", 0);
    train_job_flush_metrics(job);
    return save_elsewhere(job, &content, status);
}

StatusCode train_job_save(const TrainJob *job, bool complete, CheckpointWriter write, const void *context,
                          Status *status) {
    return train_job_save_streamed(job, complete, 0, write, context, status);
}

void train_job_checkpoint(const TrainJob *job, int64_t bytes, CheckpointWriter write, const void *context) {
    Status failure = {0}, none = {0};
    const Content content = {false, bytes, write, context};
    save_to(job, job->model_path, &content, &failure);
    train_job_tell_unsaved(job, &none, &failure);
}
