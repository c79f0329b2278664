#include "model/train_job.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/partition.h"
#include "core/path.h"
#include "data/gate.h"
#include "data/survey.h"
#include "model/prepare_images.h"
#include "model/run_options.h"
#include "parallel/stop.h"
#include "store/run_lock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char train_job_resume_advice[] = "run it again with --resume";

static bool same_classes(const ImageSpec *spec, const ClassNames *names, const Dataset *dataset) {
    const ClassNames *others = &dataset->class_names;
    bool same = spec->classes == dataset->spec.classes;
    for (int c = 0; same && names->names && others->names && c < spec->classes; c++)
        same = !strcmp(names->names[c], others->names[c]);
    return same;
}

StatusCode train_job_check_data(const TrainJob *job, const Dataset *dataset, ImageSource *source,
                                Status *status) {
    ImageSource begun = {0};
    ImageSpec spec;
    ClassNames names = {0};
    SourceMatch match = SOURCE_UNKNOWN;
    if (!job->resume) return STATUS_OK;
    checkpoint_source(job->resume, &begun, status);
    checkpoint_images(job->resume, &spec, &names, status);
    if (comm_agree(job->comm, status) || dataset_compare(dataset, job->comm, &begun, NULL, &match, status)) {
        class_names_free(&names);
        return status->code;
    }
    const bool other_source = match == SOURCE_OTHER_IMAGES || match == SOURCE_OTHER_LABELS;
    if (other_source || !same_classes(&spec, &names, dataset))
        status_set(
            status, STATUS_USAGE,
            "The run was begun with other %s than those of %s: name the data that it was begun with by "
            "--data, or use --overwrite.",
            other_source ? "training images or labels" : "classes", dataset->path);
    if (match == SOURCE_SAME) *source = begun;
    class_names_free(&names);
    return comm_agree(job->comm, status);
}

/* What the dataset may have lost or got since: a run that goes on says of its images what it said at first.
 */
static StatusCode keep_description(TrainJob *job, Status *status) {
    ImageSpec spec = job->spec;
    ClassNames names = {0};
    if (!job->resume) return STATUS_OK;
    checkpoint_images(job->resume, &spec, &names, status);
    class_names_free(&job->class_names);
    job->class_names = names;
    job->spec.from = spec.from;
    job->spec.inverted = spec.inverted;
    return comm_agree(job->comm, status);
}

void train_job_take(TrainJob *job, ImageSet shard, ImageSet valid) {
    job->shard = shard;
    job->valid = valid;
    prepare_images(job->config, &job->shard);
    prepare_images(job->config, &job->valid);
}

/* Images with MNIST's shape and number of classes may show other things, such as clothes, which mustn't be
 * taken for digits in pictures: most of the first ones, whichever ranks have them, have to be the digits that
 * their labels say. shard: the training images from number `first` on. Collective. */
static void find_what_is_drawn(TrainJob *job, const ImageSet *shard, int64_t first) {
    enum { TRIED = 20 };
    const int64_t tried = smaller(TRIED, job->train_count);
    uint64_t right = 0;
    for (int64_t i = 0; i < shard->n && first + i < tried && gate_knows(job->spec); i++) {
        float log_odds[GATE_DIGITS];
        int best = 0;
        gate_log_odds(shard->images + i * image_spec_pixels(shard->spec), log_odds);
        for (int k = 1; k < GATE_DIGITS; k++)
            if (log_odds[k] > log_odds[best]) best = k;
        right += best == shard->labels[i];
    }
    comm_sum_u64(job->comm, &right, 1);
    if (gate_knows(job->spec) && 4 * (int64_t)right < 3 * tried) job->spec.from = IMAGE_FROM_FIGURES;
}

StatusCode train_job_read(TrainJob *job, const Dataset *dataset, Status *status) {
    const RunOptions options = run_options(job->config);
    const int64_t valid_count = options.valid, limit = options.train, train = dataset->train;
    ImageSet shard = {0}, valid = {0};
    job->spec = dataset->spec;
    job->source = dataset->train_source;
    job->class_names = class_names_copy(&dataset->class_names);
    if (train_job_check_data(job, dataset, &job->source, status) || keep_description(job, status))
        return status->code;
    if (valid_count >= train)
        return status_set(status, STATUS_USAGE,
                          "run.valid = %lld leaves nothing to train on: %s holds %lld training images.",
                          (long long)valid_count, dataset->path, (long long)train);
    job->train_count = limit && limit < train - valid_count ? limit : train - valid_count;
    if (job->train_count > UINT32_MAX)
        return status_set(status, STATUS_USAGE,
                          "%s holds %lld images to train on, but the index of one has 32 bits: use fewer of "
                          "them (run.train).",
                          dataset->path, (long long)job->train_count);
    const Range mine = partition_range(job->train_count, comm_size(job->comm), comm_rank(job->comm)),
                held_out = {train - valid_count, train};
    if (dataset_read(dataset, "train", mine, job->comm, &shard, status)) return status->code;
    if (dataset_read(dataset, "train", held_out, job->comm, &valid, status)) {
        image_set_free(&shard);
        return status->code;
    }
    if (!job->resume) find_what_is_drawn(job, &shard, mine.begin);
    job->brightest = (int)comm_max(
        job->comm, survey_brightest(shard.images, shard.n * image_spec_pixels(shard.spec)), NULL);
    train_job_take(job, shard, valid);
    return status->code;
}

void train_job_count_classes(const TrainJob *job, uint64_t counts[CLASSES_MAX]) {
    memset(counts, 0, CLASSES_MAX * sizeof *counts);
    for (int64_t i = 0; i < job->shard.n; i++)
        counts[job->shard.labels[i]]++;
    comm_sum_u64(job->comm, counts, job->spec.classes);
}

/* counts: training images of each class. The last images of a dataset that is sorted are of the last classes.
 */
static void log_hint_of_valid(const TrainJob *job, const uint64_t *counts) {
    static const char advice[] = "if the dataset is sorted by class, shuffle its images and labels together";
    int64_t held_out[CLASSES_MAX] = {0};
    int present = 0, all = 0, last = 0, missing = -1;
    char number[12];
    for (int64_t i = 0; i < job->valid.n; i++)
        held_out[job->valid.labels[i]]++;
    for (int c = 0; c < job->spec.classes; c++) {
        present += held_out[c] > 0;
        all += held_out[c] > 0 || counts[c] > 0;
        if (held_out[c]) last = c;
        if (!held_out[c] && counts[c] && missing < 0) missing = c;
    }
    if (job->valid.n == 0 || missing < 0) return;
    if (present == 1)
        log_line(
            job->log,
            "hint: every held-out image (%lld, run.valid) is of class %s, so their accuracy says nothing of "
            "the others; %s.",
            (long long)job->valid.n, class_name(&job->class_names, last, number), advice);
    else
        log_line(job->log,
                 "hint: %d of the %d classes have no held-out image (run.valid), class %s for one; %s.",
                 all - present, all, class_name(&job->class_names, missing, number), advice);
}

void train_job_log_hints(const TrainJob *job) {
    uint64_t counts[CLASSES_MAX];
    char number[12];
    int present = 0, last = 0, missing = 0;
    const int64_t asked = run_options(job->config).train;
    if (asked > job->train_count)
        log_line(job->log, "hint: run.train = %lld, but there are only %lld images to train on.",
                 (long long)asked, (long long)job->train_count);
    train_job_count_classes(job, counts);
    for (int c = 0; c < job->spec.classes; c++) {
        present += counts[c] > 0;
        if (counts[c])
            last = c;
        else
            missing = c;
    }
    if (present > 1 && present < job->spec.classes)
        log_line(
            job->log,
            "hint: %d of the %d classes have no training image, class %s for one, and won't be recognised.",
            job->spec.classes - present, job->spec.classes, class_name(&job->class_names, missing, number));
    if (present == 1)
        log_line(job->log,
                 "hint: every training image (%lld) is of class %s, so there is nothing to tell apart; use "
                 "more images (run.train).",
                 (long long)job->train_count, class_name(&job->class_names, last, number));
    log_hint_of_valid(job, counts);
    survey_hint_at_faint(job->log, "training", job->brightest);
}

void train_job_free_images(TrainJob *job) {
    image_set_free(&job->shard);
    image_set_free(&job->valid);
    class_names_free(&job->class_names);
}

StatusCode train_job_begin(TrainJob *job, Status *status) {
    Status ignored = {0};
    if (job->begin) job->begin(job, job->begin_context, status);
    h5_close(&job->resume, &ignored);
    return status->code;
}

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
