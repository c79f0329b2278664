#include "model/saver.h"

#include "core/mem.h"
#include "core/timer.h"
#include "model/train_job_save.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* Files in memory that are to be written, and what came of it. */
typedef struct {
    const TrainJob *job;
    H5File *metrics, *model; /* model: NULL if there is none */
    Status metrics_status, model_status;
    atomic_bool done;
} Save;

enum { FLUSH_S = 10 };

struct Saver {
    const TrainJob *job;
    SaveRhythm rhythm;
    Save save;
    bool has_model, under_way, threaded; /* of save; threaded: thread writes it */
    pthread_t thread;
    double due_s;      /* when the next checkpoint is due */
    double retry_s;    /* after how long the one that failed is tried again; 0: the last one was saved */
    double waited_s;   /* since it was last taken */
    double flush_at_s; /* when saver_flush_sometimes does something next */
};

Saver *saver_create(const TrainJob *job, SaveRhythm rhythm) {
    if (comm_rank(job->comm) != 0) return NULL;
    Saver *saver = mem_new(1, sizeof *saver);
    saver->job = job;
    saver->rhythm = rhythm;
    saver->due_s = timer_now_s() + rhythm.seconds;
    saver->flush_at_s = timer_now_s() + (job->resumed ? 0 : FLUSH_S);
    return saver;
}

void saver_destroy(Saver **saver) {
    saver_wait(*saver);
    mem_free(*saver);
    *saver = NULL;
}

static void *write_files(void *context) {
    Save *save = context;
    if (save->job->metrics) metrics_put(save->job->metrics, &save->metrics, &save->metrics_status);
    if (save->model) checkpoint_put(&save->model, save->job->model_path, &save->model_status);
    atomic_store_explicit(&save->done, true, memory_order_release);
    return NULL;
}

/* Signals are for the thread that trains. Where no thread can be had, this one writes. */
static void start(Saver *saver) {
    sigset_t all, before;
    sigfillset(&all);
    atomic_store(&saver->save.done, false);
    saver->under_way = true;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    saver->threaded = pthread_create(&saver->thread, NULL, write_files, &saver->save) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!saver->threaded) write_files(&saver->save);
}

/* After a failure the next save is due soon, then later and later. */
static void schedule_next(Saver *saver, bool saved) {
    const double often_s = 10, usual_s = saver->rhythm.seconds;
    saver->retry_s = saved ? 0 : saver->retry_s > 0 ? 2 * saver->retry_s : often_s;
    saver->due_s = timer_now_s() + (saved ? usual_s : fmin(saver->retry_s, fmax(usual_s, often_s)));
}

void saver_wait(Saver *saver) {
    if (!saver || !saver->under_way) return;
    const double began_s = timer_now_s();
    const Save *save = &saver->save;
    if (saver->threaded) pthread_join(saver->thread, NULL);
    saver->under_way = false;
    saver->waited_s += timer_now_s() - began_s;
    train_job_tell_unsaved(saver->job, &save->metrics_status, &save->model_status);
    if (saver->has_model) schedule_next(saver, save->model_status.code == STATUS_OK);
}

/* Whether a save is still being written; of one that isn't any more, tells how it went. */
static bool is_busy(Saver *saver) {
    if (saver->under_way && atomic_load_explicit(&saver->save.done, memory_order_acquire)) saver_wait(saver);
    return saver->under_way;
}

bool saver_is_due(Saver *saver, int64_t steps_done, bool epoch_ends) {
    if (!saver) return false;
    const bool busy = is_busy(saver), by_time = saver->rhythm.seconds > 0;
    const bool by_steps = saver->rhythm.steps > 0 && steps_done % saver->rhythm.steps == 0;
    if (by_steps && saver->retry_s == 0) return true;
    if (timer_now_s() < saver->due_s) return false;
    return by_time || saver->retry_s > 0 ? !busy : epoch_ends;
}

/* Copies what there is to write; write: NULL for the metrics alone. */
static void copy(Saver *saver, CheckpointWriter write, const void *context) {
    const TrainJob *job = saver->job;
    Save *save = &saver->save;
    const CheckpointInfo info = train_job_info(job, false);
    save->job = job;
    save->metrics_status = save->model_status = (Status){0};
    save->model = NULL;
    if (job->metrics) metrics_build(job->metrics, &save->metrics, &save->metrics_status);
    if (write) checkpoint_build(job->model_path, &info, write, context, &save->model, &save->model_status);
    saver->has_model = write != NULL;
}

static void begin(Saver *saver, CheckpointWriter write, const void *context) {
    const double began_s = timer_now_s();
    copy(saver, write, context);
    start(saver);
    saver->waited_s += timer_now_s() - began_s;
    trace_end(trace_thread(saver->job->trace, 0), TRACE_CHECKPOINT, began_s, 0, 0);
}

void saver_save(Saver *saver, CheckpointWriter write, const void *context) {
    if (!saver) return;
    saver_wait(saver);
    begin(saver, write, context);
}

void saver_flush(Saver *saver) {
    if (!saver || is_busy(saver)) return;
    begin(saver, NULL, NULL);
}

void saver_flush_sometimes(Saver *saver) {
    const double begun_s = timer_now_s();
    if (!saver || begun_s < saver->flush_at_s || is_busy(saver)) return;
    saver_flush(saver);
    const double ended_s = timer_now_s();
    saver->flush_at_s = ended_s + fmax(FLUSH_S, 200 * (ended_s - begun_s));
}

double saver_take_waited_s(Saver *saver) {
    if (!saver) return 0;
    const double waited_s = saver->waited_s;
    saver->waited_s = 0;
    return waited_s;
}
