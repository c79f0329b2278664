/* One step of training: the leaves of this rank on its threads, one exact sum over all ranks, one update that
 * every rank makes by itself on its own copy of the state. */
#ifndef PARDIGITS_CNN_STEP_H
#define PARDIGITS_CNN_STEP_H

#include "leaf.h"
#include "optimizer.h"
#include "state.h"
#include "term_sum.h"

#include "pardigits/comm.h"
#include "pardigits/stop.h"

/* Everything that steps need, planned once. */
typedef struct {
    const Network *net;
    const Comm *comm;
    StopWatch *watch;
    int threads;
    int leaf;
    Sgd sgd;
    float norm_momentum; /* share of a new batch in the running statistics */
    PackedWeights packed;
    LeafWork **works; /* [threads] */
    TermSum *sum;
    float *gradient;         /* [param_floats] */
    float *rates;            /* [arrays] layer-wise rates; NULL without cnn.lars */
    float *batch_statistics; /* [statistic_floats] */
} Stepper;

/* For the configuration's cnn.* keys, and with the weights of state. watch as in TrainJob. Freed by
 * stepper_free. */
Stepper stepper_new(const TrainState *state, const Config *config, const Comm *comm, int threads,
                    StopWatch *watch);
void stepper_free(Stepper *stepper);

typedef struct {
    bool diverged;    /* terms were refused; the state is as it was */
    bool stop_wanted; /* a signal reached some rank */
    double loss_sum;  /* over the samples of the step */
    int64_t correct;
    double wait_s;  /* this rank waited so long for others after its own leaves were done */
    double input_s; /* its main thread loaded and augmented samples for so long */
} StepResult;

/* One step in state->epoch on `samples` samples, of which `mine` are this rank's leaves (none is legal).
 * Updates the parameters, velocities and statistics of state. Collective; the same result on every rank. */
StepResult stepper_step(Stepper *stepper, TrainState *state, double lr, int64_t samples, const Samples *mine);

#endif
