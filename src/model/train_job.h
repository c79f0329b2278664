/* What a training works with, and the images that it reads. */
#ifndef PARDIGITS_MODEL_TRAIN_JOB_H
#define PARDIGITS_MODEL_TRAIN_JOB_H

#include "core/config.h"
#include "core/log.h"
#include "core/trace.h"
#include "model/phases.h"
#include "parallel/context.h"
#include "parallel/stop.h"
#include "store/checkpoint.h"
#include "store/class_names.h"
#include "store/dataset.h"
#include "store/h5io.h"
#include "store/metrics.h"

#include <stdint.h>

/* The same on all ranks, but for shard, threads, log, metrics, trace and phases, which are this rank's. */
typedef struct TrainJob TrainJob;

struct TrainJob {
    const Comm *comm;
    const Config *config;
    Log *log;
    int threads;    /* OpenMP threads of this rank */
    ImageSpec spec; /* of all images */
    ClassNames class_names;
    int64_t train_count; /* images to train on: the first train_count of the training part */
    ImageSet shard;     /* this rank's rows of them: partition_range(train_count, size, rank), preprocessed; a
                           training may free them */
    ImageSource source; /* where all of them came from */
    ImageSet valid;     /* held-out images, whole on every rank, preprocessed; n = 0 for none */
    int brightest;      /* pixel of all images to train on, as survey_brightest finds it */
    const char *model_path;    /* where checkpoints and the model go (checkpoint_save); NULL: a rehearsal */
    const char *fallback_path; /* where the model goes that a training ends with when model_path can't be
                                  written; its folder is made then. NULL: nowhere */
    const char *builds;        /* fingerprints of the programs that trained it (CheckpointInfo); or NULL */
    const H5File *init;        /* a model whose weights a fresh training begins with, or NULL */
    const char *init_digest;   /* of that model, also when the training goes on; or NULL */
    H5File *resume; /* the checkpoint to go on from, until train_job_begin closes it; NULL: a fresh start */
    bool resumed;   /* there is, or was, one */
    bool go_on; /* what an earlier run left is used (--resume), also where there is no checkpoint of the whole
                 */
    /* makes the run's files ready, and opens `metrics`; or NULL (train_job_begin) */
    StatusCode (*begin)(TrainJob *job, const void *context, Status *status);
    const void *begin_context;
    Metrics *metrics;   /* on rank 0; calls on other ranks do nothing */
    Trace *trace;       /* of this rank, or NULL */
    PhaseClock *phases; /* of a training in rounds, or NULL */
    bool diverged;      /* out: why the training failed */
    StopWatch *watch;   /* of groups of ranks that train apart: a signal on any rank of any; or NULL */
};

static inline Context train_job_context(const TrainJob *job) {
    return (Context){job->comm, job->log, job->threads};
}

/* Reads this rank's shard of an open dataset's training images and the held-out ones (run.train, run.valid),
 * as run.preprocess makes them; with job->resume they must be those that the run was begun with. config, comm
 * and resume are set. Collective: all ranks agree. Freed by train_job_free_images. */
StatusCode train_job_read(TrainJob *job, const Dataset *dataset, Status *status);

/* Refuses a dataset whose training images, labels or classes aren't those that the run job->resume was begun
 * with (STATUS_USAGE), without reading them for a training. *source: what the run says of them where they are
 * the same. Collective. */
StatusCode train_job_check_data(const TrainJob *job, const Dataset *dataset, ImageSource *source,
                                Status *status);

/* As train_job_read, of images in memory, not preprocessed yet, which it takes over: shard and valid. OpenMP.
 */
void train_job_take(TrainJob *job, ImageSet shard, ImageSet valid);
void train_job_free_images(TrainJob *job);

/* The training images of each class, those of all ranks together. Collective. */
void train_job_count_classes(const TrainJob *job, uint64_t counts[CLASSES_MAX]);

/* A training calls this once, when it has read what it goes on with, so that a run that can't be gone on with
 * stays as it was: before this it writes nothing, and has no metrics. It closes job->resume: held open, the
 * old file would take its room on the disk when new ones have replaced it. Collective: ranks agree. */
StatusCode train_job_begin(TrainJob *job, Status *status);

#endif
