#include "cnn/step.h"

#include "core/mem.h"
#include "core/timer.h"
#include "parallel/node_memory.h"

#include <omp.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

static void count_workers(Stepper *stepper) {
    int64_t bytes;
    int *threads = comm_gather_bytes(stepper->node, &stepper->threads, sizeof *threads, &bytes);
    for (int r = 0; r < comm_size(stepper->node); r++) {
        if (r == comm_rank(stepper->node)) stepper->first_worker = stepper->workers;
        stepper->workers += threads[r];
    }
    mem_free(threads);
}

static void share_memory(Stepper *stepper) {
    const Network *net = stepper->net;
    const Comm *node = stepper->node;
    stepper->packed = packed_weights_new(net, node);
    stepper->next_task = node_memory_new(node, 1, sizeof *stepper->next_task);
    if (stepper->sgd.trust > 0) {
        stepper->gradient = node_memory_new(node, (size_t)net->param_floats, sizeof *stepper->gradient);
        stepper->rates = node_memory_new(node, (size_t)net->array_count, sizeof *stepper->rates);
    }
}

/* By all threads of all ranks of the node, which share the tasks. */
static void pack_weights(const Stepper *stepper, const float *params) {
    int task;
    while ((task = atomic_fetch_add(stepper->next_task, 1)) < packed_weights_tasks(stepper->net))
        packed_weights_fill(stepper->net, params, &stepper->packed, task);
}

Stepper stepper_new(const TrainState *state, const Config *config, const Comm *comm, int threads,
                    StopWatch *watch) {
    const Network *net = state->net;
    const Augmentation augmentation = {
        (float)config_real(config, "cnn.shift"),   (float)config_real(config, "cnn.rotate"),
        (float)config_real(config, "cnn.zoom"),    (float)config_real(config, "cnn.shear"),
        (float)config_real(config, "cnn.elastic"), (float)config_real(config, "cnn.elastic_sigma"),
        (float)config_real(config, "cnn.stretch"), (float)config_real(config, "cnn.thickness")};
    float smoothing = (float)config_real(config, "cnn.label_smoothing");
    uint32_t seed = (uint32_t)config_int(config, "run.seed");
    Stepper s = {
        .net = net, .node = state->node, .threads = threads, .leaf = (int)config_int(config, "cnn.leaf")};
    s.sgd =
        (Sgd){(float)config_real(config, "cnn.momentum"), (float)config_real(config, "cnn.weight_decay"),
              !strcmp(config_text(config, "cnn.nesterov"), "yes"), (float)config_real(config, "cnn.lars")};
    s.watch = watch;
    s.norm_momentum = (float)config_real(config, "cnn.bn_momentum");
    count_workers(&s);
    share_memory(&s);
    s.works = mem_new((size_t)threads, sizeof *s.works);
    s.batch_statistics = mem_new((size_t)net->statistic_floats, sizeof *s.batch_statistics);
#pragma omp parallel num_threads(threads)
    {
        s.works[omp_get_thread_num()] = leaf_work_new(net, s.leaf, seed, &augmentation, smoothing);
        pack_weights(&s, state->params);
    }
    comm_barrier(s.node);
    int64_t most_leaves = (config_int(config, "cnn.batch") + s.leaf - 1) / s.leaf;
    s.sum = term_sum_new(net, &s.works[0]->plan, most_leaves, comm, s.node);
    return s;
}

void stepper_free(Stepper *stepper) {
    for (int t = 0; t < stepper->threads; t++)
        leaf_work_free(&stepper->works[t]);
    term_sum_free(&stepper->sum);
    mem_free(stepper->works);
    packed_weights_free(&stepper->packed);
    node_memory_free(stepper->node, stepper->gradient);
    node_memory_free(stepper->node, stepper->rates);
    node_memory_free(stepper->node, stepper->next_task);
    mem_free(stepper->batch_statistics);
    *stepper = (Stepper){0};
}

enum { UPDATE_BLOCK = 1 << 10 }; /* floats */

/* What a thread does with the events of its leaves. */
typedef struct {
    TermSum *sum;
    const LeafWork *work;
    int thread;
} LeafListener;

/* Only the main thread may call MPI. */
static void on_group_done(void *context) {
    const LeafListener *listener = context;
    if (listener->thread == 0) term_sum_poll(listener->sum);
}

static void on_terms_ready(void *context, Range terms) {
    const LeafListener *listener = context;
    term_sum_add(listener->sum, terms, listener->work->terms, listener->thread);
}

/* Adds the terms of this rank's leaves to stepper->sum. Which thread takes which leaf doesn't matter. Returns
 * the seconds in which the main thread loaded samples. */
static double add_leaves(Stepper *stepper, const TrainState *state, int64_t all_leaves, const Samples *mine) {
    int64_t leaf = stepper->leaf, leaves = (mine->n + leaf - 1) / leaf;
    double main_input_s = 0;
    term_sum_begin(stepper->sum, leaves, all_leaves);
#pragma omp parallel num_threads(stepper->threads)
    {
        int t = omp_get_thread_num();
        LeafWork *work = stepper->works[t];
        LeafListener listener = {stepper->sum, work, t};
        const LeafEvents events = {&listener, on_group_done, on_terms_ready};
        double input_s = 0;
#pragma omp for schedule(dynamic, 1) nowait
        for (int64_t k = 0; k < leaves; k++) {
            int64_t first = k * leaf, left = mine->n - first;
            Samples samples = samples_slice(mine, first, left < leaf ? left : leaf);
            float *slot = term_sum_slot(stepper->sum);
            work->terms = slot ? slot : work->own_terms;
            input_s +=
                leaf_run(work, state->params, &stepper->packed, (uint32_t)state->epoch, &samples, &events);
        }
        if (t == 0) {
            main_input_s = input_s;
            while (!term_sum_poll(stepper->sum))
                sched_yield();
        }
    }
    return main_input_s;
}

/* The update of a step. */
typedef struct {
    Stepper *stepper;
    TrainState *state;
    StepRates rates;
    double leaves; /* that the sums are divided by */
    double wait_s; /* the main thread waited so long for other ranks */
    bool diverged;
} Update;

/* By all threads of all ranks of the node. */
static void meet(Update *update) {
    const Comm *node = update->stepper->node;
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
    Stepper *stepper = update->stepper;
    const Network *net = stepper->net;
    term_sum_means(stepper->sum, range, update->leaves, stepper->gradient + range.begin);
    meet(update);
    for (int a = worker; a < net->array_count; a += stepper->workers)
        stepper->rates[a] =
            lars_rate(&stepper->sgd, &net->arrays[a], stepper->gradient, update->state->params);
    meet(update);
}

/* In blocks, each of which is in the cache from its sums to its averages. */
static void update_params(const Update *update, Range range) {
    const Stepper *stepper = update->stepper;
    TrainState *state = update->state;
    Range block = {range.begin, range.begin};
    for (; block.begin < range.end; block.begin = block.end) {
        float means[UPDATE_BLOCK];
        const float *gradient = means;
        block.end = block.begin + UPDATE_BLOCK < range.end ? block.begin + UPDATE_BLOCK : range.end;
        if (stepper->rates)
            gradient = stepper->gradient + block.begin;
        else
            term_sum_means(stepper->sum, block, update->leaves, means);
        sgd_step(stepper->net, &stepper->sgd, update->rates.lr, stepper->rates, block, gradient,
                 state->params, state->velocity);
        if (state->average) ema_step(update->rates.average_share, block, state->params, state->average);
    }
}

/* A thread's share of the update. */
static void run_worker(Update *update) {
    const Stepper *stepper = update->stepper;
    const int thread = omp_get_thread_num(), worker = stepper->first_worker + thread;
    /* parts begin at multiples of NETWORK_ALIGN, so that vectors hold the same elements for any number of
     * workers */
    Range range = partition_range(stepper->net->param_floats / NETWORK_ALIGN, stepper->workers, worker);
    range = (Range){range.begin * NETWORK_ALIGN, range.end * NETWORK_ALIGN};
    if (stepper->rates) find_rates(update, range, worker);
    update_params(update, range);
    if (worker == 0) atomic_store(stepper->next_task, 0);
    meet(update);
    if (thread == 0) update->diverged = term_sum_refused(stepper->sum);
    pack_weights(stepper, update->state->params);
    meet(update);
}

/* running = (1 - m) * running + m * batch */
static void update_statistics(const Update *update) {
    Stepper *stepper = update->stepper;
    TrainState *state = update->state;
    const int64_t first = stepper->net->param_floats, n = stepper->net->statistic_floats;
    float m = stepper->norm_momentum;
    term_sum_means(stepper->sum, (Range){first, first + n}, update->leaves * LEAF_STATISTIC_UNIT,
                   stepper->batch_statistics);
    for (int64_t i = 0; i < n; i++)
        state->statistics[i] = (1 - m) * state->statistics[i] + m * stepper->batch_statistics[i];
    if (state->average)
        ema_step(update->rates.average_share, (Range){0, n}, state->statistics, state->average_statistics);
}

StepResult stepper_step(Stepper *stepper, TrainState *state, StepRates rates, int64_t samples,
                        const Samples *mine) {
    const Network *net = stepper->net;
    TermSum *sum = stepper->sum;
    int64_t leaves = (samples + stepper->leaf - 1) / stepper->leaf;
    double input_s = add_leaves(stepper, state, leaves, mine), began_s = timer_now_s();
    term_sum_finish(sum, stepper->watch ? stop_watch_poll(stepper->watch) : stop_signalled());
    /* the terms of a full leaf are divided by cnn.leaf */
    Update update = {stepper, state, rates, (double)samples / stepper->leaf, timer_now_s() - began_s, false};
    StepResult result = {.stop_wanted = term_sum_signalled(sum),
                         .loss_sum = term_sum_get(sum, leaf_loss_term(net)) * stepper->leaf,
                         .correct = (int64_t)(term_sum_get(sum, leaf_correct_term(net)) * stepper->leaf),
                         .input_s = input_s};
    update_statistics(&update);
#pragma omp parallel num_threads(stepper->threads)
    run_worker(&update);
    result.diverged = update.diverged;
    result.wait_s = update.wait_s;
    return result;
}
