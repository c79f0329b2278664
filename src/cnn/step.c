#include "step.h"

#include "pardigits/mem.h"

#include <omp.h>
#include <string.h>

Stepper stepper_new(const TrainState *state, const Config *config, const Comm *comm, int threads,
                    StopWatch *watch) {
    const Network *net = state->net;
    const Augmentation augmentation = {
        (float)config_real(config, "cnn.shift"),   (float)config_real(config, "cnn.rotate"),
        (float)config_real(config, "cnn.zoom"),    (float)config_real(config, "cnn.shear"),
        (float)config_real(config, "cnn.elastic"), (float)config_real(config, "cnn.elastic_sigma")};
    uint32_t seed = (uint32_t)config_int(config, "run.seed");
    float smoothing = (float)config_real(config, "cnn.label_smoothing");
    Stepper s = {.net = net, .comm = comm, .threads = threads, .leaf = (int)config_int(config, "cnn.leaf")};
    s.sgd =
        (Sgd){(float)config_real(config, "cnn.momentum"), (float)config_real(config, "cnn.weight_decay"),
              !strcmp(config_text(config, "cnn.nesterov"), "yes"), (float)config_real(config, "cnn.lars")};
    s.watch = watch;
    s.norm_momentum = (float)config_real(config, "cnn.bn_momentum");
    s.packed = packed_weights_new(net);
    packed_weights_fill(net, state->params, &s.packed);
    s.works = mem_new((size_t)threads, sizeof *s.works);
    s.sums = mem_new((size_t)threads, sizeof *s.sums);
    s.gradient = mem_new((size_t)net->param_floats, sizeof *s.gradient);
    if (s.sgd.trust > 0) s.rates = mem_new((size_t)net->array_count, sizeof *s.rates);
    s.batch_statistics = mem_new((size_t)net->statistic_floats, sizeof *s.batch_statistics);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int t = 0; t < threads; t++) {
        s.works[t] = leaf_work_new(net, s.leaf, seed, &augmentation, smoothing);
        s.sums[t] = exact_sum_new(leaf_term_count(net) + 1);
    }
    return s;
}

void stepper_free(Stepper *stepper) {
    for (int t = 0; t < stepper->threads; t++) {
        leaf_work_free(&stepper->works[t]);
        exact_sum_free(&stepper->sums[t]);
    }
    mem_free(stepper->works);
    mem_free(stepper->sums);
    packed_weights_free(&stepper->packed);
    mem_free(stepper->gradient);
    mem_free(stepper->rates);
    mem_free(stepper->batch_statistics);
    *stepper = (Stepper){0};
}

/* Sums the terms of this rank's leaves into sums[0]. Which thread takes which leaf doesn't matter. */
static void sum_leaves(Stepper *stepper, const TrainState *state, const Samples *mine) {
    int64_t leaf = stepper->leaf, leaves = (mine->n + leaf - 1) / leaf, terms = leaf_term_count(stepper->net);
#pragma omp parallel num_threads(stepper->threads)
    {
        int t = omp_get_thread_num(), threads = omp_get_num_threads();
        LeafWork *work = stepper->works[t];
        ExactSum *sum = &stepper->sums[t];
        exact_sum_clear(sum);
#pragma omp for schedule(dynamic, 1)
        for (int64_t k = 0; k < leaves; k++) {
            int64_t first = k * leaf, left = mine->n - first;
            Samples samples = samples_slice(mine, first, left < leaf ? left : leaf);
            leaf_run(work, state->params, &stepper->packed, (uint32_t)state->epoch, &samples);
            exact_sum_add(sum, 0, work->terms, terms);
        }
        exact_sum_merge_range(&stepper->sums[0], stepper->sums + 1, threads - 1,
                              partition_range(sum->n + 1, threads, t));
    }
}

/* By all threads of a parallel region, once the gradient is whole. */
static void find_rates(const Stepper *stepper, const float *params) {
#pragma omp barrier
#pragma omp for schedule(dynamic, 1)
    for (int a = 0; a < stepper->net->array_count; a++)
        stepper->rates[a] = lars_rate(&stepper->sgd, &stepper->net->arrays[a], stepper->gradient, params);
}

/* Each thread updates its part of the parameters; then they pack the weights together. */
static void update_params(Stepper *stepper, TrainState *state, double lr, double leaves) {
    const Network *net = stepper->net;
    const ExactSum *sum = &stepper->sums[0];
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
static void update_statistics(Stepper *stepper, TrainState *state, double leaves) {
    const Network *net = stepper->net;
    float m = stepper->norm_momentum;
    exact_sum_means(&stepper->sums[0], net->param_floats, net->statistic_floats, leaves * LEAF_STATISTIC_UNIT,
                    stepper->batch_statistics);
    for (int64_t i = 0; i < net->statistic_floats; i++)
        state->statistics[i] = (1 - m) * state->statistics[i] + m * stepper->batch_statistics[i];
}

StepResult stepper_step(Stepper *stepper, TrainState *state, double lr, int64_t samples,
                        const Samples *mine) {
    const Network *net = stepper->net;
    ExactSum *sum = &stepper->sums[0];
    const float signalled = 1;
    int64_t signalled_term = leaf_term_count(net);
    sum_leaves(stepper, state, mine);
    if (stepper->watch ? stop_watch_poll(stepper->watch) : stop_signalled())
        exact_sum_add(sum, signalled_term, &signalled, 1);
    exact_sum_reduce(sum, stepper->comm);

    StepResult result = {.diverged = exact_sum_refused(sum) > 0,
                         .stop_wanted = exact_sum_get(sum, signalled_term) > 0,
                         .loss_sum = exact_sum_get(sum, leaf_loss_term(net)) * stepper->leaf,
                         .correct = (int64_t)(exact_sum_get(sum, leaf_correct_term(net)) * stepper->leaf)};
    if (result.diverged) return result;
    double leaves = (double)samples / stepper->leaf; /* the terms of a full leaf are divided by cnn.leaf */
    update_statistics(stepper, state, leaves);
    update_params(stepper, state, lr, leaves);
    return result;
}
