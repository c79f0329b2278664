#include "knn/model.h"

#include "core/mem.h"
#include "core/timer.h"
#include "data/shard.h"
#include "parallel/stop.h"

#include <math.h>

typedef struct {
    const KnnModel *model;
    int64_t first;        /* index of the first query in the training set */
    int64_t k_max, found; /* found: neighbours of a query, itself among them */
    Neighbour *others;    /* [found] */
    int64_t *right;       /* [k_max + 1], of this rank's queries */
} Trial;

/* The votes of all neighbours but the image itself. */
static void take_trial(void *context, int64_t query, const Neighbour *neighbours) {
    const Trial *trial = context;
    const int64_t self = trial->first + query;
    int64_t others = 0;
    for (int64_t i = 0; i < trial->found; i++)
        if (neighbours[i].index != self) trial->others[others++] = neighbours[i];
    const KnnVoting voting = knn_model_voting(trial->model);
    knn_count_votes(&voting, trial->others, others < trial->k_max ? others : trial->k_max,
                    voting.labels[self], trial->right);
}

typedef enum { GO_ON, SAVE, STOP } Next;

/* What all ranks do. Collective. */
static Next what_next(const Comm *comm, double save_at_s) {
    const bool late = comm_rank(comm) == 0 && timer_now_s() >= save_at_s;
    return (Next)comm_max(comm, stop_signalled() ? STOP : late ? SAVE : GO_ON, NULL);
}

bool knn_leave_one_out(const KnnModel *model, const TrainJob *job, double save_at_s, KnnTrials *trials,
                       bool *stopped) {
    /* so many take seconds, with the image distortion model, too */
    const int64_t at_a_time = model->method.candidates ? 2048 : 8192;
    KnnMethod method = model->method;
    method.k = trials->k_max + 1;
    if (method.candidates) method.candidates++;
    Trial trial = {.model = model, .first = trials->next, .k_max = trials->k_max};
    trial.found = knn_neighbour_count(&method, job->train_count);
    trial.others = mem_new((size_t)trial.found, sizeof *trial.others);
    trial.right = mem_new((size_t)trials->k_max + 1, sizeof *trial.right);
    Next next = what_next(job->comm, INFINITY);
    while (trial.first < job->train_count && next == GO_ON) {
        int64_t left = job->train_count - trial.first;
        Range rows = {trial.first, trial.first + (left < at_a_time ? left : at_a_time)};
        TraceThread *trace = trace_thread(job->trace, 0);
        double traced_s = trace_begin(trace);
        phase_clock_take(job->phases, PHASE_COMPUTE);
        progress_enter(comm_progress(job->comm), PROGRESS_LEAVE_ONE_OUT, rows.begin + 1);
        ImageSet queries = shard_fetch(job->comm, job->train_count, &job->shard, rows);
        phase_clock_take(job->phases, PHASE_INPUT);
        traced_s = trace_end(trace, TRACE_FETCH, traced_s, 0, 0);
        knn_nearest(job->comm, &model->reference, &method, queries.images, queries.n, job->threads,
                    take_trial, &trial);
        trace_end(trace, TRACE_NEAREST, traced_s, rows.begin, queries.n);
        log_progress(job->log, "leave-one-out: %lld/%lld images", (long long)rows.end,
                     (long long)job->train_count);
        image_set_free(&queries);
        trial.first = rows.end;
        next = what_next(job->comm, save_at_s);
    }
    comm_sum_u64(job->comm, (uint64_t *)trial.right, trials->k_max + 1);
    for (int64_t k = 1; k <= trials->k_max; k++)
        trials->right[k] += trial.right[k];
    trials->next = trial.first;
    *stopped = next == STOP;
    mem_free(trial.right);
    mem_free(trial.others);
    return trials->next >= job->train_count;
}
