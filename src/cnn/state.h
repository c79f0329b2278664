/* What training works on and what a model file keeps of it:
 *     /model/<layer>/<array>               parameters, in natural shapes; of bn also mean and variance
 *     /optimizer/<layer>/<array>/momentum  the velocities of SGD
 *     /state                               attributes: epoch, step, loss_sum, correct */
#ifndef PARDIGITS_CNN_STATE_H
#define PARDIGITS_CNN_STATE_H

#include "network.h"

#include "pardigits/comm.h"
#include "pardigits/h5io.h"

typedef struct {
    const Network *net;
    float *params;     /* [param_floats] */
    float *velocity;   /* [param_floats] */
    float *statistics; /* [statistic_floats] running means and variances of batch norm */
    int64_t epoch;     /* epochs done */
    int64_t step;      /* steps done of the next one; all of them: only its end is left to do */
    double loss_sum;   /* over the samples of these steps, added up step by step */
    int64_t correct;   /* samples of these steps that were predicted right */
} TrainState;

/* A fresh state with initial parameters. Freed by train_state_free. */
TrainState train_state_new(const Network *net, uint32_t seed);
void train_state_free(TrainState *state);

/* Writes everything; the CheckpointWriter of this family (context: a TrainState). */
StatusCode train_state_write(H5File *file, const void *context, Status *status);

/* Reads what train_state_write wrote. Each rank for itself; the caller agrees. */
StatusCode train_state_read(TrainState *state, const H5File *file, Status *status);

/* Reads parameters [param_floats] and statistics [statistic_floats] alone, and refuses values that no
 * training leaves. */
StatusCode train_state_read_model(const Network *net, const H5File *file, float *params, float *statistics,
                                  Status *status);

/* STATUS_FAILED if the parameters are not the same bits on all ranks. Collective: all ranks agree. */
StatusCode train_state_compare_ranks(const TrainState *state, const Comm *comm, Status *status);

#endif
