#include "cnn/train_step.h"

#include "core/mem.h"
#include "core/timer.h"
#include "model/run_options.h"
#include "parallel/node_memory.h"

#include <omp.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

static void count_workers(TrainStep *train_step) {
    int64_t bytes;
    int *threads = comm_gather_bytes(train_step->node, &train_step->threads, sizeof *threads, &bytes);
    for (int r = 0; r < comm_size(train_step->node); r++) {
        if (r == comm_rank(train_step->node)) train_step->first_worker = train_step->workers;
        train_step->workers += threads[r];
    }
    mem_free(threads);
}

static void share_memory(TrainStep *train_step) {
    const Network *net = train_step->net;
    const Comm *node = train_step->node;
    train_step->packed = packed_weights_new(net, node);
    train_step->next_task = node_memory_new(node, 1, sizeof *train_step->next_task);
    if (train_step->sgd.trust > 0) {
        train_step->gradient = node_memory_new(node, (size_t)net->param_floats, sizeof *train_step->gradient);
        train_step->rates = node_memory_new(node, (size_t)net->array_count, sizeof *train_step->rates);
    }
}

/* By all threads of all ranks of the node, which share the tasks. */
static void pack_weights(const TrainStep *train_step, const float *params) {
    int task;
    while ((task = atomic_fetch_add(train_step->next_task, 1)) < packed_weights_tasks(train_step->net))
        packed_weights_fill(train_step->net, params, &train_step->packed, task);
}

TrainStep train_step_new(const TrainState *state, const CnnOptions *options, const TrainJob *job) {
    const int threads = job->threads;
    const Network *net = state->net;
    const Augmentation augmentation = {(float)options->shift,   (float)options->rotate,
                                       (float)options->zoom,    (float)options->shear,
                                       (float)options->elastic, (float)options->elastic_sigma,
                                       (float)options->stretch, (float)options->thickness};
    float smoothing = (float)options->label_smoothing;
    uint32_t seed = (uint32_t)run_options(job->config).seed;
    TrainStep s = {
        .net = net, .node = state->node, .threads = threads, .micro_batch = (int)options->micro_batch};
    s.sgd = (Sgd){(float)options->momentum, (float)options->weight_decay, options->nesterov,
                  (float)options->lars};
    s.watch = job->watch;
    s.norm_momentum = (float)options->bn_momentum;
    count_workers(&s);
    share_memory(&s);
    s.works = mem_new((size_t)threads, sizeof *s.works);
    s.contributions = mem_new((size_t)threads, sizeof *s.contributions);
    s.batch_statistics = mem_new((size_t)net->statistic_floats, sizeof *s.batch_statistics);
#pragma omp parallel num_threads(threads)
    {
        s.works[omp_get_thread_num()] =
            micro_batch_work_new(net, s.micro_batch, seed, &augmentation, smoothing);
        s.contributions[omp_get_thread_num()] = mem_new((size_t)contribution_floats(net), sizeof(float));
        pack_weights(&s, state->params);
    }
    comm_barrier(s.node);
    int64_t most_micro_batches = (options->batch + s.micro_batch - 1) / s.micro_batch;
    s.sum = gradient_reducer_new(net, &s.works[0]->plan, most_micro_batches, job->comm, s.node);
    return s;
}

void train_step_free(TrainStep *train_step) {
    for (int t = 0; t < train_step->threads; t++)
        micro_batch_work_free(&train_step->works[t]);
    for (int t = 0; t < train_step->threads; t++)
        mem_free(train_step->contributions[t]);
    mem_free(train_step->contributions);
    gradient_reducer_free(&train_step->sum);
    mem_free(train_step->works);
    packed_weights_free(&train_step->packed);
    node_memory_free(train_step->node, train_step->gradient);
    node_memory_free(train_step->node, train_step->rates);
    node_memory_free(train_step->node, train_step->next_task);
    mem_free(train_step->batch_statistics);
    *train_step = (TrainStep){0};
}

enum { UPDATE_BLOCK = 1 << 10 }; /* floats */

/* What a thread does with the events of its micro-batches. */
typedef struct {
    GradientReducer *sum;
    float *contribution;
    int thread;
} MicroBatchListener;

/* Only the main thread may call MPI. */
static void on_group_done(void *context) {
    const MicroBatchListener *listener = context;
    if (listener->thread == 0) gradient_reducer_poll(listener->sum);
}

static void on_values_ready(void *context, Range terms) {
    const MicroBatchListener *listener = context;
    gradient_reducer_add(listener->sum, terms, listener->contribution, listener->thread);
}

/* Adds the terms of this rank's micro-batches to training step->sum. Which thread takes which micro-batch
 * doesn't matter. Returns the seconds in which the main thread loaded samples. */
static double add_micro_batches(TrainStep *train_step, const TrainState *state, int64_t all_micro_batches,
                                const Samples *mine) {
    int64_t micro_batch = train_step->micro_batch, micro_batches = (mine->n + micro_batch - 1) / micro_batch;
    double main_input_s = 0;
    gradient_reducer_begin(train_step->sum, micro_batches, all_micro_batches);
#pragma omp parallel num_threads(train_step->threads)
    {
        int t = omp_get_thread_num();
        MicroBatchWork *work = train_step->works[t];
        MicroBatchListener listener = {train_step->sum, NULL, t};
        const MicroBatchEvents events = {&listener, on_group_done, on_values_ready};
        double input_s = 0;
#pragma omp for schedule(dynamic, 1) nowait
        for (int64_t k = 0; k < micro_batches; k++) {
            int64_t first = k * micro_batch, left = mine->n - first;
            Samples samples = samples_slice(mine, first, left < micro_batch ? left : micro_batch);
            float *slot = gradient_reducer_slot(train_step->sum);
            listener.contribution = slot ? slot : train_step->contributions[t];
            const MicroBatch batch = {state->params, &train_step->packed,   (uint32_t)state->epoch,
                                      samples,       listener.contribution, &events};
            input_s += micro_batch_run(work, &batch);
        }
        if (t == 0) {
            main_input_s = input_s;
            while (!gradient_reducer_poll(train_step->sum))
                sched_yield();
        }
    }
    return main_input_s;
}

/* The update of a step. */
typedef struct {
    TrainStep *train_step;
    TrainState *state;
    StepRates rates;
    double micro_batches; /* that the sums are divided by */
    double wait_s;        /* the main thread waited so long for other ranks */
    bool diverged;
} Update;

/* By all threads of all ranks of the node. */
static void node_barrier(Update *update) {
    const Comm *node = update->train_step->node;
#pragma omp barrier
    if (comm_size(node) == 1) return;
    if (omp_get_thread_num() == 0) {
        double began_s = timer_now_s();
        comm_barrier(node);
        update->wait_s += timer_now_s() - began_s;
    }
#pragma omp barrier
}

/* Layer-wise rates from the whole gradient; range is the worker's part of it. */
static void find_rates(Update *update, Range range, int worker) {
    TrainStep *train_step = update->train_step;
    const Network *net = train_step->net;
    gradient_reducer_means(train_step->sum, range, update->micro_batches, train_step->gradient + range.begin);
    node_barrier(update);
    for (int a = worker; a < net->array_count; a += train_step->workers)
        train_step->rates[a] =
            lars_rate(&train_step->sgd, &net->arrays[a], train_step->gradient, update->state->params);
    node_barrier(update);
}

/* In blocks, each of which is in the cache from its sums to its averages. */
static void update_params(const Update *update, Range range) {
    const TrainStep *train_step = update->train_step;
    TrainState *state = update->state;
    Range block = {range.begin, range.begin};
    for (; block.begin < range.end; block.begin = block.end) {
        float means[UPDATE_BLOCK];
        const float *gradient = means;
        block.end = block.begin + UPDATE_BLOCK < range.end ? block.begin + UPDATE_BLOCK : range.end;
        if (train_step->rates)
            gradient = train_step->gradient + block.begin;
        else
            gradient_reducer_means(train_step->sum, block, update->micro_batches, means);
        sgd_step(train_step->net, &train_step->sgd, update->rates.lr, train_step->rates, block, gradient,
                 state->params, state->velocity);
        if (state->average) ema_step(update->rates.average_share, block, state->params, state->average);
    }
}

/* A thread's share of the update. */
static void run_worker(Update *update) {
    const TrainStep *train_step = update->train_step;
    const int thread = omp_get_thread_num(), worker = train_step->first_worker + thread;
    /* parts begin at multiples of NETWORK_ALIGN, so that vectors hold the same elements for any number of
     * workers */
    Range range = partition_range(train_step->net->param_floats / NETWORK_ALIGN, train_step->workers, worker);
    range = (Range){range.begin * NETWORK_ALIGN, range.end * NETWORK_ALIGN};
    if (train_step->rates) find_rates(update, range, worker);
    update_params(update, range);
    if (worker == 0) atomic_store(train_step->next_task, 0);
    node_barrier(update);
    if (thread == 0) update->diverged = gradient_reducer_out_of_range(train_step->sum);
    pack_weights(train_step, update->state->params);
    node_barrier(update);
}

/* running = (1 - m) * running + m * batch */
static void update_statistics(const Update *update) {
    TrainStep *train_step = update->train_step;
    TrainState *state = update->state;
    const int64_t first = train_step->net->param_floats, n = train_step->net->statistic_floats;
    float m = train_step->norm_momentum;
    gradient_reducer_means(train_step->sum, (Range){first, first + n},
                           update->micro_batches * NETWORK_STATISTIC_UNIT, train_step->batch_statistics);
    for (int64_t i = 0; i < n; i++)
        state->statistics[i] = (1 - m) * state->statistics[i] + m * train_step->batch_statistics[i];
    if (state->average)
        ema_step(update->rates.average_share, (Range){0, n}, state->statistics, state->average_statistics);
}

StepResult train_step_run(TrainStep *train_step, TrainState *state, StepRates rates, int64_t samples,
                          const Samples *mine) {
    const Network *net = train_step->net;
    GradientReducer *sum = train_step->sum;
    int64_t micro_batches = (samples + train_step->micro_batch - 1) / train_step->micro_batch;
    double input_s = add_micro_batches(train_step, state, micro_batches, mine), began_s = timer_now_s();
    gradient_reducer_finish(sum, train_step->watch ? stop_watch_poll(train_step->watch) : stop_signalled());
    /* the terms of a full micro-batch are divided by cnn.micro_batch */
    Update update = {
        train_step, state, rates, (double)samples / train_step->micro_batch, timer_now_s() - began_s, false};
    StepResult result = {
        .stop_wanted = gradient_reducer_signalled(sum),
        .loss_sum = gradient_reducer_get(sum, contribution_loss(net)) * train_step->micro_batch,
        .correct = (int64_t)(gradient_reducer_get(sum, contribution_correct(net)) * train_step->micro_batch),
        .input_s = input_s};
    update_statistics(&update);
#pragma omp parallel num_threads(train_step->threads)
    run_worker(&update);
    result.diverged = update.diverged;
    result.wait_s = update.wait_s;
    return result;
}
