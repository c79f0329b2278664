/* What a training saves: checkpoints, its model, metrics. */
#ifndef PARDIGITS_MODEL_TRAIN_JOB_SAVE_H
#define PARDIGITS_MODEL_TRAIN_JOB_SAVE_H

#include "model/train_job.h"

/* Of a training that is stopped when it has saved all that it can (stop_exit_on_signal). */
extern const char train_job_resume_advice[];

/* Saves what a training ends with, whole or to be gone on with, to job->model_path (checkpoint_save). The
 * metrics of a complete one are written before, so that no complete model lacks them. Where model_path can't
 * be written the model goes to job->fallback_path, if that is set; this fails nevertheless, and says so.
 * Collective: all ranks agree. */
StatusCode train_job_save(const TrainJob *job, bool complete, CheckpointWriter write, const void *context,
                          Status *status);

/* The same, of a file of so many bytes that isn't built in memory: all ranks call write (CheckpointInfo). */
StatusCode train_job_save_streamed(const TrainJob *job, bool complete, int64_t bytes, CheckpointWriter write,
                                   const void *context, Status *status);

/* What a model file of the job contains (checkpoint.h); it points into the job. */
CheckpointInfo train_job_info(const TrainJob *job, bool complete);

/* Saves a checkpoint in the course of a training, which goes on whether or not that succeeds: a failure is
 * logged. bytes: as above; 0 for a file that is built in memory. Collective. */
void train_job_checkpoint(const TrainJob *job, int64_t bytes, CheckpointWriter write, const void *context);

/* Says in the log what of a save in the course of a training failed; the training goes on, unless the run's
 * folder was renamed or removed, after which nothing would be saved any more (stop_request). Not collective.
 */
void train_job_tell_unsaved(const TrainJob *job, const Status *metrics, const Status *model);

/* Writes the metrics; a failure is logged: they are in memory still, and can be written later. */
void train_job_flush_metrics(const TrainJob *job);

#endif
