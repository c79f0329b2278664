#include "cnn/step_bench.h"

#include "cnn/train_step.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/timer.h"
#include "model/run_options.h"
#include "parallel/node_memory.h"

enum { STEPS = 40, WARM_UP = 4 };

/* A training of one rank on random images. */
typedef struct {
    Network net;
    CnnOptions options;
    Comm *node;
    Trace *trace; /* or NULL */
    TrainState state;
    TrainStep step;
    int64_t images;
    uint8_t *pixels, *labels; /* [images][height][width], [images] */
    uint32_t *rows;           /* [images] */
    double seconds[STEPS];    /* of the steps so far */
} BenchTraining;

static void draw_images(BenchTraining *training) {
    const int64_t n = training->images;
    const int pixels = image_spec_pixels(training->net.spec);
    training->pixels = mem_new((size_t)n, (size_t)pixels);
    training->labels = mem_new((size_t)n, 1);
    training->rows = mem_new((size_t)n, sizeof *training->rows);
    for (int64_t i = 0; i < n; i++) {
        training->labels[i] = (uint8_t)(i % training->net.spec.classes);
        training->rows[i] = (uint32_t)i;
        for (int p = 0; p < pixels; p++) {
            uint32_t bits[4];
            rng_u32x4((RngKey){1, RNG_TEST}, 0, (uint64_t)i, (uint32_t)p, bits);
            training->pixels[i * pixels + p] = (uint8_t)bits[0];
        }
    }
}

/* alone: the rank by itself. */
static void training_begin(BenchTraining *training, const Comm *alone, const Config *config, int threads) {
    const CnnOptions *options = &training->options;
    const uint32_t seed = (uint32_t)run_options(config).seed;
    training->state = train_state_new(&training->net, seed, options);
    training->node = node_ranks(alone);
    train_state_share(&training->state, training->node);
    const TrainJob job = {.comm = alone, .config = config, .threads = threads, .trace = training->trace};
    training->step = train_step_new(&training->state, options, &job);
    draw_images(training);
}

static void training_end(BenchTraining *training) {
    train_step_free(&training->step);
    train_state_free(&training->state);
    comm_destroy(&training->node);
    mem_free(training->pixels);
    mem_free(training->labels);
    mem_free(training->rows);
}

/* With a rate that leaves the weights as they are. */
static void run_step(BenchTraining *training) {
    const Samples samples = {training->images, training->pixels, training->labels, training->rows,
                             training->rows};
    const double began_s = timer_now_s();
    train_step_run(&training->step, &training->state, (StepPlace){.lr = 0}, training->images, &samples);
    training->seconds[training->state.step++] = timer_now_s() - began_s;
}

/* Sorts them. */
static double median_s(double *seconds, int64_t n) {
    sort_doubles(seconds, (size_t)n);
    return seconds[n / 2];
}

static bool is_phase(const TraceSpan *span) {
    return span->kind == TRACE_LOAD || span->kind == TRACE_FORWARD || span->kind == TRACE_LOSS ||
           span->kind == TRACE_BACKWARD || span->kind == TRACE_UPDATE;
}

/* How many groups pass through the k-th stage there or back. */
static int groups_of(const MicroBatchPlan *plan, TraceKind kind, int k, int micro_batch) {
    const Stage *stages = kind == TRACE_FORWARD ? plan->forward : plan->backward;
    return (micro_batch + stages[k].group - 1) / stages[k].group;
}

/* The phases of a step in their order, each with its least time among the micro-batches and steps that were
 * traced: its own work, while others of this machine may take the core in longer ones. */
static void find_phases(const BenchTraining *training, StepProfile *profile) {
    const TraceThread *thread = trace_thread(training->trace, 0);
    const MicroBatchPlan *plan = &training->step.works[0]->plan;
    int stages[TRACE_KINDS] = {0}, p = 0;
    for (int64_t i = 0; i < thread->noted; i++) {
        const TraceSpan *span = &thread->spans[i];
        const double seconds = span->end_s - span->begin_s;
        if (!is_phase(span)) continue;
        if (span->kind == TRACE_LOAD) stages[TRACE_FORWARD] = stages[TRACE_BACKWARD] = p = 0;
        StepPhase *phase = &profile->phases[p++];
        const bool is_stage = span->kind == TRACE_FORWARD || span->kind == TRACE_BACKWARD;
        const int groups =
            is_stage ? groups_of(plan, span->kind, stages[span->kind]++, training->step.micro_batch) : 1;
        const bool is_first = p > profile->phase_count;
        *phase = (StepPhase){span->kind,
                             (int)span->numbers[0],
                             (int)span->numbers[1],
                             groups,
                             is_first || seconds < phase->least_s ? seconds : phase->least_s,
                             0};
        if (is_first) profile->phase_count = p;
    }
}

/* The same shares of the median step. */
static void scale_phases(StepProfile *profile) {
    double all_s = 0;
    for (int p = 0; p < profile->phase_count; p++)
        all_s += profile->phases[p].least_s *
                 (profile->phases[p].kind == TRACE_UPDATE ? 1 : (double)profile->micro_batches);
    for (int p = 0; p < profile->phase_count; p++)
        profile->phases[p].seconds = profile->phases[p].least_s * profile->step_s / all_s;
}

/* One thread. */
static void measure_phases(BenchTraining *training, const Comm *alone, const Config *config,
                           StepProfile *profile) {
    training->trace = trace_create(1);
    training_begin(training, alone, config, 1);
    for (int s = 0; s < STEPS; s++) {
        if (s == WARM_UP) training->trace->threads[0].noted = 0;
        run_step(training);
    }
    profile->step_s = median_s(training->seconds + WARM_UP, STEPS - WARM_UP);
    find_phases(training, profile);
    scale_phases(profile);
    training_end(training);
    trace_destroy(&training->trace);
}

/* All threads in one micro-batch. */
static void measure_team(BenchTraining *training, const Comm *alone, const Config *config,
                         StepProfile *profile) {
    training->images = smaller(training->images, training->options.micro_batch);
    training_begin(training, alone, config, profile->threads);
    for (int s = 0; s < STEPS; s++)
        run_step(training);
    profile->team_s = median_s(training->seconds + WARM_UP, STEPS - WARM_UP);
    profile->barriers = training->step.teams[0].phase;
    training_end(training);
}

/* Of the fastest tenth of some rounds the slowest: in most others on a busy machine a thread waits for its
 * core, and in the very fastest two of them share one. */
static double barrier_s(int threads) {
    enum { ROUNDS = 100, BARRIERS = 500 };
    Team team;
    double seconds[ROUNDS];
    team_init(&team, threads);
    for (int round = 0; round < ROUNDS; round++) {
        const double began_s = timer_now_s();
#pragma omp parallel num_threads(threads)
        for (int i = 0; i < BARRIERS; i++)
            team_barrier(&team);
        seconds[round] = (timer_now_s() - began_s) / BARRIERS;
    }
    sort_doubles(seconds, ROUNDS);
    return seconds[ROUNDS / 10];
}

StatusCode step_bench(const Context *context, const Config *config, int images, StepProfile *profile,
                      Status *status) {
    BenchTraining *training = mem_new(1, sizeof *training);
    training->options = cnn_options(config);
    network_parse(&training->net, training->options.layers, image_spec_mnist(), status);
    if (!comm_agree(context->comm, status)) {
        Comm *alone = comm_split(context->comm, comm_rank(context->comm));
        const int64_t micro_batch = training->options.micro_batch;
        training->images = images ? images : training->options.batch;
        *profile = (StepProfile){.images = training->images,
                                 .micro_batches = divide_up(training->images, micro_batch),
                                 .threads = (int)smaller(context->threads, STEP_BENCH_THREADS)};
        measure_phases(training, alone, config, profile);
        if (profile->threads > 1) measure_team(training, alone, config, profile);
        for (int t = 1; t <= profile->threads; t++)
            profile->barrier_s[t - 1] = barrier_s(t);
        comm_destroy(&alone);
    }
    mem_free(training);
    return status->code;
}
