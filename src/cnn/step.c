#include "step.h"

#include "pardigits/mem.h"
#include "pardigits/timer.h"

#include <omp.h>
#include <sched.h>
#include <string.h>

Stepper stepper_new(const TrainState *state, const Config *config, const Comm *comm, int threads,
                    StopWatch *watch) {
    const Network *net = state->net;
    const Augmentation augmentation = {
        (float)config_real(config, "cnn.shift"),   (float)config_real(config, "cnn.rotate"),
        (float)config_real(config, "cnn.zoom"),    (float)config_real(config, "cnn.shear"),
        (float)config_real(config, "cnn.elastic"), (float)config_real(config, "cnn.elastic_sigma")};
    float smoothing = (float)config_real(config, "cnn.label_smoothing");
    uint32_t seed = (uint32_t)config_int(config, "run.seed");
    Stepper s = {.net = net, .comm = comm, .threads = threads, .leaf = (int)config_int(config, "cnn.leaf")};
    s.sgd =
        (Sgd){(float)config_real(config, "cnn.momentum"), (float)config_real(config, "cnn.weight_decay"),
              !strcmp(config_text(config, "cnn.nesterov"), "yes"), (float)config_real(config, "cnn.lars")};
    s.watch = watch;
    s.norm_momentum = (float)config_real(config, "cnn.bn_momentum");
    s.packed = packed_weights_new(net);
    packed_weights_fill(net, state->params, &s.packed);
    s.works = mem_new((size_t)threads, sizeof *s.works);
    s.gradient = mem_new((size_t)net->param_floats, sizeof *s.gradient);
    if (s.sgd.trust > 0) s.rates = mem_new((size_t)net->array_count, sizeof *s.rates);
    s.batch_statistics = mem_new((size_t)net->statistic_floats, sizeof *s.batch_statistics);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int t = 0; t < threads; t++)
        s.works[t] = leaf_work_new(net, s.leaf, seed, &augmentation, smoothing);
    s.sum = term_sum_new(net, &s.works[0]->plan, comm);
    return s;
}

void stepper_free(Stepper *stepper) {
    for (int t = 0; t < stepper->threads; t++)
        leaf_work_free(&stepper->works[t]);
    term_sum_free(&stepper->sum);
    mem_free(stepper->works);
    packed_weights_free(&stepper->packed);
    mem_free(stepper->gradient);
    mem_free(stepper->rates);
    mem_free(stepper->batch_statistics);
    *stepper = (Stepper){0};
}

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
static double add_leaves(Stepper *stepper, const TrainState *state, const Samples *mine) {
    int64_t leaf = stepper->leaf, leaves = (mine->n + leaf - 1) / leaf;
    double main_input_s = 0;
    term_sum_begin(stepper->sum, leaves);
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

/* By all threads of a parallel region, once the gradient is whole. */
static void find_rates(const Stepper *stepper, const float *params) {
#pragma omp barrier
#pragma omp for schedule(dynamic, 1)
    for (int a = 0; a < stepper->net->array_count; a++)
        stepper->rates[a] = lars_rate(&stepper->sgd, &stepper->net->arrays[a], stepper->gradient, params);
}

/* Each thread updates its part of the parameters; then they pack the weights together. */
static void update_params(Stepper *stepper, const ExactSum *sum, TrainState *state, double lr,
                          double leaves) {
    const Network *net = stepper->net;
#pragma omp parallel num_threads(stepper->threads)
    {
        /* parts begin at multiples of NETWORK_ALIGN, so that vectors hold the same elements for any number of
         * threads */
        Range range =
            partition_range(net->param_floats / NETWORK_ALIGN, omp_get_num_threads(), omp_get_thread_num());
        range = (Range){range.begin * NETWORK_ALIGN, range.end * NETWORK_ALIGN};
        exact_sum_means(sum, range.begin, range_size(range), leaves, stepper->gradient + range.begin);
        if (stepper->rates) find_rates(stepper, state->params);
        sgd_step(net, &stepper->sgd, lr, stepper->rates, range, stepper->gradient, state->params,
                 state->velocity);
#pragma omp barrier
        packed_weights_fill(net, state->params, &stepper->packed);
    }
}

/* running = (1 - m) * running + m * batch */
static void update_statistics(Stepper *stepper, const ExactSum *sum, TrainState *state, double leaves) {
    const Network *net = stepper->net;
    float m = stepper->norm_momentum;
    exact_sum_means(sum, net->param_floats, net->statistic_floats, leaves * LEAF_STATISTIC_UNIT,
                    stepper->batch_statistics);
    for (int64_t i = 0; i < net->statistic_floats; i++)
        state->statistics[i] = (1 - m) * state->statistics[i] + m * stepper->batch_statistics[i];
}

StepResult stepper_step(Stepper *stepper, TrainState *state, double lr, int64_t samples,
                        const Samples *mine) {
    const Network *net = stepper->net;
    double input_s = add_leaves(stepper, state, mine), began_s = timer_now_s();
    bool signalled = stepper->watch ? stop_watch_poll(stepper->watch) : stop_signalled();
    const ExactSum *sum = term_sum_finish(stepper->sum, signalled);
    double wait_s = timer_now_s() - began_s;

    StepResult result = {.diverged = exact_sum_refused(sum) > 0,
                         .stop_wanted = exact_sum_get(sum, leaf_term_count(net)) > 0,
                         .loss_sum = exact_sum_get(sum, leaf_loss_term(net)) * stepper->leaf,
                         .correct = (int64_t)(exact_sum_get(sum, leaf_correct_term(net)) * stepper->leaf),
                         .wait_s = wait_s,
                         .input_s = input_s};
    if (result.diverged) return result;
    double leaves = (double)samples / stepper->leaf; /* the terms of a full leaf are divided by cnn.leaf */
    update_statistics(stepper, sum, state, leaves);
    update_params(stepper, sum, state, lr, leaves);
    return result;
}
