/* One step of training: forward and backward through the micro-batches of this rank on its threads, an exact
 * sum of the gradients over all ranks, and an update. Each node updates its own copy of the state, which its
 * ranks share, with the threads of all of them. */
#ifndef PARDIGITS_CNN_TRAIN_STEP_H
#define PARDIGITS_CNN_TRAIN_STEP_H

#include "cnn/gradient_reducer.h"
#include "cnn/micro_batch.h"
#include "cnn/optimizer.h"
#include "cnn/packed_weights.h"
#include "cnn/state.h"

#include "model/train_job.h"
#include "parallel/team.h"

/* Everything that steps need, planned once. */
typedef struct {
    const Network *net;
    const Comm *node; /* the ranks that share state, packed, gradient and rates */
    StopWatch *watch;
    Trace *trace; /* or NULL */
    Progress *progress;
    int threads;
    int workers, first_worker; /* threads of all ranks of the node; those of the ranks before this one */
    int micro_batch;
    Sgd sgd;
    float norm_momentum; /* share of a new batch in the running statistics */
    PackedWeights packed;
    int work_count;             /* micro-batches that may be under way at a time */
    MicroBatchWork **works;     /* [work_count] */
    float **contributions;      /* [work_count], for micro-batches without a slot */
    MicroBatchScratch *scratch; /* [threads] */
    Team *teams;                /* [threads] */
    GradientReducer *reducer;
    float *gradient;         /* [param_floats], whole, for layer-wise rates; NULL without cnn.lars */
    float *rates;            /* [arrays] layer-wise rates; NULL without cnn.lars */
    double *class_weights;   /* [classes] of the losses; NULL: 1 */
    float *batch_statistics; /* [statistic_floats] */
} TrainStep;

/* How a rank's threads share its micro-batches of a step: as many as fill all threads go to one thread each;
 * the rest to teams, of as many threads and with as many micro-batches each. */
typedef struct {
    int64_t alone; /* micro-batches of one thread */
    int teams, team_threads;
} StepShare;
StepShare step_share(int64_t micro_batches, int threads);

/* For the options and job of a training, and with the weights of state, which the ranks of state->node share;
 * they are this rank's part of node_ranks(job->comm). Collective; freed by train_step_free, collectively. */
TrainStep train_step_new(const TrainState *state, const CnnOptions *options, const TrainJob *job);
void train_step_free(TrainStep *step);

typedef struct {
    bool diverged;    /* a value was out of range; the state is worthless */
    int64_t cause;    /* then: which, on this rank's node (gradient_reducer_cause) */
    bool stop_wanted; /* a signal reached some rank */
    double loss_sum;  /* over the samples of the step */
    int64_t correct;
    double wait_s;    /* this rank waited so long for others: after its own micro-batches were done, or in the
                         update */
    double input_s;   /* its main thread loaded and augmented samples for so long */
    double reduce_s;  /* the sums were under way between nodes: from the first message to the last sum */
    double exposed_s; /* part of that after the own micro-batches were done, and of wait_s */
    double micro_batches_s, update_s; /* it worked so long on micro-batches, loading included, and in the
                                         update, without waiting for others */
} StepResult;

/* What a step has of its place in the run. */
typedef struct {
    double lr;
    double average_share;      /* of the new values in the moving averages; see ema_share */
    int64_t first_micro_batch; /* of this rank among those of the step */
    int64_t number;            /* of the step in the run, from 1 */
} StepPlace;

/* One step in state->epoch on `samples` samples, of which `mine` are this rank's micro-batches (none is
 * legal). Updates the parameters, velocities, statistics and averages of state. Collective; all ranks get the
 * same but for the seconds. */
StepResult train_step_run(TrainStep *step, TrainState *state, StepPlace place, int64_t samples,
                          const Samples *mine);

#endif
