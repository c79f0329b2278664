/* Where the time of a training step goes on one rank, for `pardigits bench step`: the profile that `make
 * simulate` replays on a simulated cluster, and what barriers cost. */
#ifndef PARDIGITS_CNN_STEP_BENCH_H
#define PARDIGITS_CNN_STEP_BENCH_H

#include "core/config.h"
#include "core/trace.h"
#include "parallel/context.h"

enum { STEP_BENCH_PHASES = 512, STEP_BENCH_THREADS = 256 };

/* A phase of a micro-batch, or the update that ends a step. */
typedef struct {
    TraceKind kind;
    int first_layer, last_layer; /* of a stage, from 1, in the order in which it passes them; otherwise 0 */
    int groups;                  /* in which the images of a stage pass through it; otherwise 1 */
    double least_s;              /* undisturbed */
    double seconds;              /* its share of a step as long as the median */
} StepPhase;

typedef struct {
    int64_t images, micro_batches; /* of a step */
    double step_s;
    int phase_count; /* those of one micro-batch, then the update; all micro-batches and the update take
                        step_s */
    StepPhase phases[STEP_BENCH_PHASES];
    int threads;                          /* of the rank */
    double team_s;                        /* a step of one micro-batch, by all threads; 0 with one thread */
    int64_t barriers;                     /* in that micro-batch */
    double barrier_s[STEP_BENCH_THREADS]; /* one of t + 1 threads that come at the same time */
} StepProfile;

/* Trains on random images, each rank by itself with one thread, all of them at the same time: `images` a step
 * (0: cnn.batch) in micro-batches of cnn.micro_batch. Then, with more threads, on one micro-batch by all of
 * them. Collective; every rank gets its own profile, all the same status: STATUS_USAGE, the configuration
 * isn't that of a network. */
StatusCode step_bench(const Context *context, const Config *config, int images, StepProfile *profile,
                      Status *status);

#endif
