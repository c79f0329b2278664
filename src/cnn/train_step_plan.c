/* Memory and partners of the steps, settled before the first one. */
#include "cnn/contribution.h"
#include "cnn/train_step.h"

#include "core/integers.h"
#include "core/mem.h"
#include "model/class_weights.h"
#include "model/run_options.h"
#include "parallel/node_memory.h"

#include <omp.h>

static void count_workers(TrainStep *step) {
    int64_t bytes;
    int *threads = comm_gather_bytes(step->node, &step->threads, sizeof *threads, &bytes);
    for (int r = 0; r < comm_size(step->node); r++) {
        if (r == comm_rank(step->node)) step->first_worker = step->workers;
        step->workers += threads[r];
    }
    mem_free(threads);
}

static void share_memory(TrainStep *step) {
    const Network *net = step->net;
    const Comm *node = step->node;
    step->packed = packed_weights_new(net, node);
    if (step->sgd.trust > 0) {
        step->gradient = node_memory_new(node, (size_t)net->param_floats, sizeof *step->gradient);
        step->rates = node_memory_new(node, (size_t)net->array_count, sizeof *step->rates);
    }
}

/* The weights [classes] of cnn.class_weights; NULL: all are 1. Collective; freed by mem_free. */
static double *weigh_classes(const CnnOptions *options, const TrainJob *job, int classes) {
    uint64_t sums[CLASSES_MAX] = {0};
    int64_t counts[CLASSES_MAX];
    Status ignored = {0}; /* cnn_train_check has refused what is wrong */
    if (!class_weights_given(options->class_weights)) return NULL;
    for (int64_t i = 0; i < job->shard.n; i++)
        sums[job->shard.labels[i]]++;
    comm_sum_u64(job->comm, sums, classes);
    for (int c = 0; c < classes; c++)
        counts[c] = (int64_t)sums[c];
    double *weights = mem_new((size_t)classes, sizeof *weights);
    class_weights_read("cnn.class_weights", options->class_weights, classes, counts, weights, &ignored);
    return weights;
}

static MicroBatchSetup setup_of(const CnnOptions *options, const TrainJob *job, const double *class_weights) {
    return (MicroBatchSetup){
        .micro_batch = (int)options->micro_batch,
        .team = job->threads,
        .seed = (uint32_t)run_options(job->config).seed,
        .augmentation = cnn_augmentation(options),
        .smoothing = (float)options->label_smoothing,
        .class_weights = class_weights,
    };
}

/* What the threads work with, each thread's made by itself, so that it lies near its core; and together they
 * pack the parameters. */
static void make_workers(TrainStep *step, const MicroBatchSetup *setup, const float *params) {
    const Network *net = step->net;
    step->works = mem_new((size_t)step->work_count, sizeof *step->works);
    step->contributions = mem_new((size_t)step->work_count, sizeof *step->contributions);
    step->scratch = mem_new((size_t)step->threads, sizeof *step->scratch);
    step->teams = mem_new((size_t)step->threads, sizeof *step->teams);
#pragma omp parallel num_threads(step->threads)
    {
        const int thread = omp_get_thread_num();
        step->scratch[thread] = micro_batch_scratch_new(net, step->micro_batch);
        step->scratch[thread].trace = trace_thread(step->trace, thread);
        if (thread < step->work_count) {
            step->works[thread] = micro_batch_work_new(net, setup);
            step->contributions[thread] = mem_new((size_t)contribution_floats(net), sizeof(float));
        }
        packed_weights_fill(net, params, &step->packed);
    }
}

TrainStep train_step_new(const TrainState *state, const CnnOptions *options, const TrainJob *job) {
    const int threads = job->threads;
    const Network *net = state->net;
    const int64_t most_micro_batches = divide_up(options->batch, options->micro_batch);
    const RunOptions run = run_options(job->config);
    const int64_t most_of_rank = run.balance == RUN_BALANCE_EVEN
                                     ? divide_up(most_micro_batches, comm_size(job->comm))
                                     : most_micro_batches;
    TrainStep s = {
        .net = net, .node = state->node, .threads = threads, .micro_batch = (int)options->micro_batch};
    s.sgd = (Sgd){(float)options->momentum, (float)options->weight_decay, options->nesterov,
                  (float)options->lars};
    s.class_weights = weigh_classes(options, job, net->spec.classes);
    const MicroBatchSetup setup = setup_of(options, job, s.class_weights);
    s.watch = job->watch;
    s.trace = job->trace;
    s.progress = comm_progress(job->comm);
    s.norm_momentum = (float)options->bn_momentum;
    count_workers(&s);
    share_memory(&s);
    s.work_count = (int)smaller(most_of_rank, threads);
    s.batch_statistics = mem_new((size_t)net->statistic_floats, sizeof *s.batch_statistics);
    make_workers(&s, &setup, state->params);
    comm_barrier(s.node);
    s.reducer = gradient_reducer_new(&(Reduction){net, &s.works[0]->plan, most_micro_batches,
                                                  cnn_sum_bits(options), state->ranges, setup.seed},
                                     job->comm, s.node);
    gradient_reducer_trace(s.reducer, trace_thread(job->trace, 0));
    return s;
}

void train_step_free(TrainStep *step) {
    for (int k = 0; k < step->work_count; k++) {
        micro_batch_work_free(&step->works[k]);
        mem_free(step->contributions[k]);
    }
    for (int t = 0; t < step->threads; t++)
        micro_batch_scratch_free(&step->scratch[t]);
    mem_free(step->scratch);
    mem_free(step->teams);
    mem_free(step->contributions);
    gradient_reducer_free(&step->reducer);
    mem_free(step->works);
    packed_weights_free(&step->packed);
    node_memory_free(step->node, step->gradient);
    node_memory_free(step->node, step->rates);
    mem_free(step->batch_statistics);
    mem_free(step->class_weights);
    *step = (TrainStep){0};
}
