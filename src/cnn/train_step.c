#include "cnn/train_step.h"

#include "cnn/train_update.h"

#include "core/timer.h"

#include <omp.h>
#include <sched.h>

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

/* Forward and backward through micro-batch k of this rank, on this thread. Returns the seconds of loading. */
static double run_micro_batch(TrainStep *step, const TrainState *state, const Samples *mine, int64_t k) {
    const int thread = omp_get_thread_num();
    const int64_t first = k * step->micro_batch;
    float *slot = gradient_reducer_slot(step->reducer, k);
    MicroBatchListener listener = {step->reducer, k, slot ? slot : step->contributions[thread], thread};
    const MicroBatchEvents events = {&listener, on_group_done, on_values_ready};
    const MicroBatch batch = {
        .params = state->params,
        .packed = &step->packed,
        .epoch = (uint32_t)state->epoch,
        .samples = samples_slice(mine, first, smaller(step->micro_batch, mine->n - first)),
        .contribution = listener.contribution,
        .events = &events,
    };
    return micro_batch_run(step->works[thread], &batch);
}

/* By each thread: some of this rank's micro-batches, it doesn't matter which. The main thread also sends what
 * is ready. */
static void run_micro_batches(TrainStep *step, const TrainState *state, const Samples *mine,
                              double *input_s) {
    const int64_t micro_batches = (mine->n + step->micro_batch - 1) / step->micro_batch;
    double own_input_s = 0;
#pragma omp for schedule(dynamic, 1) nowait
    for (int64_t k = 0; k < micro_batches; k++)
        own_input_s += run_micro_batch(step, state, mine, k);
    if (omp_get_thread_num() > 0) return;
    *input_s = own_input_s;
    while (!gradient_reducer_poll(step->reducer))
        sched_yield();
}

/* Returns the seconds of waiting. */
static double finish_reduction(TrainStep *step) {
    const double began_s = timer_now_s();
    gradient_reducer_finish(step->reducer, step->watch ? stop_watch_poll(step->watch) : stop_signalled());
    return timer_now_s() - began_s;
}

StepResult train_step_run(TrainStep *step, TrainState *state, StepPlace place, int64_t samples,
                          const Samples *mine) {
    const int64_t micro_batch = step->micro_batch;
    GradientReducer *reducer = step->reducer;
    StepResult result = {0};
    gradient_reducer_begin(reducer,
                           &(ReducerStep){(mine->n + micro_batch - 1) / micro_batch,
                                          (samples + micro_batch - 1) / micro_batch, place.first_micro_batch,
                                          (uint32_t)state->epoch, (uint64_t)state->step});
#pragma omp parallel num_threads(step->threads)
    run_micro_batches(step, state, mine, &result.input_s); /* forward, backward, and reduce beside it */
    result.wait_s = finish_reduction(step);
    result.stop_wanted = gradient_reducer_signalled(reducer);
    /* contributions are divided by cnn.micro_batch */
    result.loss_sum = gradient_reducer_get(reducer, contribution_loss(step->net)) * (double)micro_batch;
    result.correct =
        (int64_t)(gradient_reducer_get(reducer, contribution_correct(step->net)) * (double)micro_batch);
    TrainUpdate update = {step, state, place, (double)samples / (double)micro_batch, 0, false};
    train_update_run(&update);
    result.wait_s += update.wait_s;
    result.diverged = update.diverged;
    return result;
}
