#include "cnn/trainer.h"

#include "core/timer.h"
#include "model/train_job_save.h"
#include "parallel/stop.h"

#include <stdio.h>

int64_t trainer_steps_done(const Trainer *trainer) {
    return trainer->state.epoch * trainer->steps + trainer->state.step;
}

bool trainer_is_finished(const Trainer *trainer) {
    const TrainState *state = &trainer->state;
    const int64_t patience = trainer->options.patience;
    return state->epoch == trainer->epochs ||
           (patience > 0 && state->step == 0 && state->epoch - state->best_epoch >= patience);
}

/* Saves the state between two steps, when other ranks are missing (ProgressSave). */
static void save_stalled(const void *context, char *text, int size) {
    const Trainer *trainer = context;
    const bool complete = trainer_is_finished(trainer);
    Status status = {0};
    Log silent = {0};
    Comm *alone = comm_alone();
    TrainJob job = *trainer->job;
    job.comm = alone;
    job.log = &silent;
    job.trace = NULL;
    saver_wait(trainer->saver);
    train_job_flush_metrics(&job);
    if (train_job_save(&job, complete, train_state_write, &trainer->state, &status))
        snprintf(text, (size_t)size, "%s The last checkpoint remains.", status.text);
    else if (complete)
        snprintf(text, (size_t)size, "the last step was done, and the model is saved in %s.", job.model_path);
    else
        snprintf(text, (size_t)size, "step %lld/%lld of epoch %lld is saved in %s: run again with --resume.",
                 (long long)trainer->state.step, (long long)trainer->steps,
                 (long long)trainer->state.epoch + 1, job.model_path);
    comm_destroy(&alone);
}

void trainer_save_begin(Trainer *trainer) {
    const TrainJob *job = trainer->job;
    const CnnOptions *options = &trainer->options;
    if (!job->model_path) return;
    trainer->saver =
        saver_create(job, (SaveRhythm){(double)options->checkpoint_s, options->checkpoint_steps});
    trainer->stalled_save = (ProgressSave){save_stalled, trainer};
    if (comm_rank(job->comm) == 0) atomic_store(&comm_progress(job->comm)->save, &trainer->stalled_save);
}

void trainer_save_end(Trainer *trainer) {
    atomic_store(&comm_progress(trainer->job->comm)->save, NULL);
    saver_destroy(&trainer->saver);
}

StatusCode trainer_compare_ranks(Trainer *trainer, Status *status) {
    char when[64];
    const TrainState *state = &trainer->state;
    snprintf(when, sizeof when, "after step %lld of epoch %lld",
             (long long)(state->step ? state->step : trainer->steps),
             (long long)(state->step ? state->epoch + 1 : state->epoch));
    train_state_compare_ranks(state, trainer->job->comm, when,
                              trainer->unchecked_saves
                                  ? "What was saved since the epoch began may have it: start again with "
                                    "--overwrite"
                                  : "The last checkpoint is from before it: run again with --resume",
                              status);
    trainer->unchecked_saves = 0;
    return status->code;
}

StatusCode trainer_save(const Trainer *trainer, Status *status) {
    const TrainJob *job = trainer->job;
    const bool complete = trainer_is_finished(trainer);
    saver_wait(trainer->saver);
    const double began_s = timer_now_s();
    if (!complete) train_job_flush_metrics(job);
    train_job_save(job, complete, train_state_write, &trainer->state, status);
    metrics_add(job->metrics, "save_wait_s", timer_now_s() - began_s);
    return status->code;
}

static void save_beside(Trainer *trainer) {
    progress_enter(comm_progress(trainer->job->comm), PROGRESS_CHECKPOINT, 0);
    trainer->unchecked_saves += trainer->state.step > 0; /* at an epoch's end they were just compared */
    saver_save(trainer->saver, train_state_write, &trainer->state);
}

void trainer_save_if_due(Trainer *trainer) {
    const bool epoch_ends = trainer->state.step == 0;
    if (saver_is_due(trainer->saver, trainer_steps_done(trainer), epoch_ends))
        save_beside(trainer);
    else if (epoch_ends)
        saver_flush(trainer->saver);
    else
        saver_flush_sometimes(trainer->saver);
}

StatusCode trainer_save_and_stop(Trainer *trainer, Status *status) {
    if (!trainer->job->model_path)
        return status_set(status, STATUS_STOPPED, "Stopped by %s.", stop_signal_name());
    if (trainer_compare_ranks(trainer, status) || trainer_save(trainer, status)) return status->code;
    return status_set(
        status, STATUS_STOPPED,
        "Stopped by %s after step %lld/%lld of epoch %lld/%lld; run again with --resume to continue from %s.",
        stop_signal_name(), (long long)trainer->state.step, (long long)trainer->steps,
        (long long)trainer->state.epoch + 1, (long long)trainer->epochs, trainer->job->model_path);
}
