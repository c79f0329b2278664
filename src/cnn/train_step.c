#include "cnn/train_step.h"

#include "cnn/contribution.h"
#include "cnn/micro_batch_loss.h"
#include "cnn/train_update.h"

#include "core/integers.h"
#include "core/timer.h"
#include "core/waiting.h"

#include <math.h>
#include <omp.h>

/* What a thread does with the events of its micro-batches. */
typedef struct {
    GradientReducer *reducer;
    int64_t micro_batch; /* of this rank in the step */
    float *contribution;
    int thread;
} MicroBatchListener;

/* Only the main thread may call MPI. */
static void on_group_done(void *context) {
    const MicroBatchListener *listener = context;
    if (listener->thread == 0) gradient_reducer_poll(listener->reducer);
}

static void on_values_ready(void *context, Range values) {
    const MicroBatchListener *listener = context;
    gradient_reducer_add(listener->reducer, listener->micro_batch, values, listener->contribution,
                         listener->thread);
}

/* A step on this rank, as its threads see it. */
typedef struct {
    TrainStep *step;
    const TrainState *state;
    const Samples *mine;
    int64_t micro_batches;
    StepShare share;
    int64_t number; /* of the step */
} StepRun;

/* Forward and backward through micro-batch k of this rank, in memory `work`, as this thread's part of a team.
 * Returns the seconds of loading. */
static double run_micro_batch(const StepRun *run, int64_t k, int work, const TeamMember *member) {
    TrainStep *step = run->step;
    const TrainState *state = run->state;
    const Samples *mine = run->mine;
    const int64_t first = k * step->micro_batch;
    float *slot = gradient_reducer_slot(step->reducer, k);
    MicroBatchListener listener = {step->reducer, k, slot ? slot : step->contributions[work],
                                   omp_get_thread_num()};
    const MicroBatchEvents events = {&listener, on_group_done, on_values_ready};
    const MicroBatch batch = {
        .params = state->params,
        .packed = &step->packed,
        .epoch = (uint32_t)state->epoch,
        .samples = samples_slice(mine, first, smaller(step->micro_batch, mine->n - first)),
        .contribution = listener.contribution,
        .events = &events,
    };
    TraceThread *trace = member->scratch->trace;
    const double traced_s = trace_begin(trace);
    const double input_s = micro_batch_run(step->works[work], &batch, member);
    trace_end(trace, TRACE_MICRO_BATCH, traced_s, k, batch.samples.n);
    return input_s;
}

StepShare step_share(int64_t micro_batches, int threads) {
    const int rest = (int)(micro_batches % threads);
    int teams = rest;
    while (teams > 0 && (rest % teams || threads % teams))
        teams--;
    return (StepShare){micro_batches - rest, teams, teams ? threads / teams : 0};
}

/* By each thread: some of the micro-batches that threads compute alone, it doesn't matter which. Returns the
 * seconds of loading. */
static double run_alone(const StepRun *run) {
    const int thread = omp_get_thread_num();
    Team alone;
    team_init(&alone, 1);
    const TeamMember member = {&alone, 0, &run->step->scratch[thread]};
    double input_s = 0;
#pragma omp for schedule(dynamic, 1) nowait
    for (int64_t k = 0; k < run->share.alone; k++)
        input_s += run_micro_batch(run, k, thread, &member);
    return input_s;
}

/* By each thread: those of its team. The team's memory is that of its first thread, who may still need it. */
static double run_in_team(const StepRun *run) {
    const StepShare share = run->share;
    if (share.teams == 0) return 0;
    const int thread = omp_get_thread_num(), team = thread / share.team_threads;
    const int work = share.alone ? team * share.team_threads : team;
    const TeamMember member = {&run->step->teams[team], thread % share.team_threads,
                               &run->step->scratch[thread]};
    double input_s = 0;
    for (int64_t k = share.alone + team; k < run->micro_batches; k += share.teams)
        input_s += run_micro_batch(run, k, work, &member);
    return input_s;
}

/* By each thread. The main thread also sends what is ready. Returns when its micro-batches were done. */
static double run_micro_batches(const StepRun *run, double *input_s) {
    const double own_input_s = run_alone(run) + run_in_team(run);
    const double computed_s = timer_now_s();
    if (omp_get_thread_num() > 0) return computed_s;
    *input_s = own_input_s;
    const Waiting waiting = waiting_begin();
    progress_enter(run->step->progress, PROGRESS_REDUCTION, run->number);
    progress_wait_begin(run->step->progress);
    while (!gradient_reducer_poll(run->step->reducer))
        waiting_pause(&waiting);
    progress_wait_end(run->step->progress);
    trace_end(trace_thread(run->step->trace, 0), TRACE_WAIT, computed_s, 0, 0);
    return computed_s;
}

/* The micro-batches of this rank were done at computed_s. */
static void finish_reduction(TrainStep *step, double computed_s, StepResult *result) {
    TraceThread *trace = trace_thread(step->trace, 0);
    const double traced_s = trace_begin(trace);
    gradient_reducer_finish(step->reducer, step->watch ? stop_watch_poll(step->watch) : stop_signalled());
    trace_end(trace, TRACE_WAIT, traced_s, 0, 0);
    const ReducerTimes times = gradient_reducer_times(step->reducer);
    result->wait_s = timer_now_s() - computed_s;
    result->reduce_s = times.end_s - times.begin_s;
    result->exposed_s = fmax(0, times.end_s - fmax(times.begin_s, computed_s));
}

StepResult train_step_run(TrainStep *step, TrainState *state, StepPlace place, int64_t samples,
                          const Samples *mine) {
    const int64_t micro_batch = step->micro_batch;
    const int64_t micro_batches = divide_up(mine->n, micro_batch);
    const StepRun run = {step,        state, mine, micro_batches, step_share(micro_batches, step->threads),
                         place.number};
    progress_enter(step->progress, PROGRESS_COMPUTE, place.number);
    GradientReducer *reducer = step->reducer;
    StepResult result = {0};
    gradient_reducer_begin(reducer, &(ReducerStep){micro_batches, divide_up(samples, micro_batch),
                                                   place.first_micro_batch, (uint32_t)state->epoch,
                                                   (uint64_t)state->step});
    for (int t = 0; t < run.share.teams; t++)
        team_init(&step->teams[t], run.share.team_threads);
    const double began_s = timer_now_s();
    double computed_s = 0; /* by the last thread */
#pragma omp parallel num_threads(step->threads) reduction(max : computed_s)
    computed_s = run_micro_batches(&run, &result.input_s); /* forward, backward, and reduce beside it */
    result.micro_batches_s = computed_s - began_s;
    finish_reduction(step, computed_s, &result);
    result.stop_wanted = gradient_reducer_signalled(reducer);
    /* contributions are divided by cnn.micro_batch */
    result.loss_sum = gradient_reducer_get(reducer, contribution_loss(step->net)) * (double)micro_batch *
                      micro_batch_loss_unit(step->class_weights);
    result.correct =
        (int64_t)(gradient_reducer_get(reducer, contribution_correct(step->net)) * (double)micro_batch);
    progress_enter(step->progress, PROGRESS_UPDATE, place.number);
    TrainUpdate update = {step, state, place, (double)samples / (double)micro_batch, 0, false};
    const double update_began_s = timer_now_s();
    train_update_run(&update);
    result.update_s = timer_now_s() - update_began_s - update.wait_s;
    result.wait_s += update.wait_s;
    result.diverged = update.diverged;
    result.cause = update.diverged ? gradient_reducer_cause(reducer) : -1;
    return result;
}
