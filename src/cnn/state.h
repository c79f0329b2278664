/* What training works on, and what a model file holds of it:
 *
 *     /model/<layer>/<array>               parameters, in natural shapes; of bn also mean and variance; with
 *                                          cnn.ema the averages of all these
 *     /optimizer/<layer>/<array>/momentum  the velocities of SGD
 *     /optimizer/<layer>/<array>/value     with cnn.ema: the values that training continues from, because
 *                                          /model has their averages
 *     /optimizer/<layer>/<array>/average   with cnn.ema and cnn.keep = best: the averages, because /model has
 *                                          those of the best epoch; value then, too, without cnn.ema
 *     /optimizer/ranges                    with cnn.sum_bits below 64
 *     /state                               attributes: epoch, step, loss_sum, correct; with cnn.keep = best
 * or cnn.patience also best_epoch, best_value */
#ifndef PARDIGITS_CNN_STATE_H
#define PARDIGITS_CNN_STATE_H

#include "cnn/cnn_options.h"
#include "cnn/network.h"

#include "parallel/comm.h"
#include "store/h5io.h"

/* Where the model is in its file. */
#define MODEL_ROOT "/model"

typedef struct {
    const Network *net;
    const Comm *node;                    /* whose ranks share params, velocity, average, ranges; or NULL */
    float *params;                       /* [param_floats] */
    float *velocity;                     /* [param_floats] */
    float *statistics;                   /* [statistic_floats] running means and variances of batch norm */
    float *average, *average_statistics; /* the same of their moving averages; NULL without cnn.ema */
    int32_t *ranges; /* [gradient_blocks_count] of the sums of 32 or 16 bits; NULL with 64 */
    int64_t epoch;   /* epochs done */
    int64_t step;    /* steps done of the next one; all of them: only its end is left to do */
    float *best,
        *best_statistics; /* what made the model after the best epoch; NULL without cnn.keep = best */
    bool follows_best;    /* best_epoch and best_value are kept */
    int64_t best_epoch;   /* from 1; 0: none yet */
    double best_value;    /* of it: the larger, the better */
    double loss_sum;      /* over the samples of these steps, added up step by step */
    int64_t correct;      /* samples of these steps that were predicted right */
} TrainState;

/* A fresh state with initial parameters, and with what the options ask for beside them. Freed by
 * train_state_free. */
TrainState train_state_new(const Network *net, uint32_t seed, const CnnOptions *options);
void train_state_free(TrainState *state);

/* The parameters and statistics that make the model: the averages where there are any. */
const float *train_state_model_params(const TrainState *state);
const float *train_state_model_statistics(const TrainState *state);

/* An epoch has ended: notes it if its value is better than the best one's, and copies the model where that is
 * wanted. True if it is. */
bool train_state_note_value(TrainState *state, int64_t epoch, double value);

/* Moves parameters, velocities, averages and ranges, which have the same values on all ranks, into memory
 * that the ranks of the node share. node is kept. Collective in the node. */
void train_state_share(TrainState *state, const Comm *node);

/* Writes and reads what a model is: parameters [param_floats] and statistics [statistic_floats], as
 * ROOT/<layer>/<array>. Reading refuses values that no training leaves. */
StatusCode train_state_write_model(H5File *file, const char *root, const Network *net, const float *params,
                                   const float *statistics, Status *status);
StatusCode train_state_read_model(const H5File *file, const char *root, const Network *net, float *params,
                                  float *statistics, Status *status);

/* The same of MODEL_ROOT, but for the layer `renewed`, whose arrays stay as they are. */
StatusCode train_state_read_layers(const H5File *file, const Network *net, const char *renewed, float *params,
                                   float *statistics, Status *status);

/* Writes everything; the CheckpointWriter of this family (context: a TrainState). */
StatusCode train_state_write(H5File *file, const void *context, Status *status);

/* Reads what train_state_write wrote. Each rank for itself; the caller agrees. */
StatusCode train_state_read(TrainState *state, const H5File *file, Status *status);

/* Takes the parameters and statistics of a model of the same layers (not an ensemble) for those of a fresh
 * state. Its last layer with weights may be another one, as for other classes: then it stays as it is, and
 * *renewed is its name; otherwise "". STATUS_USAGE if other layers differ. Each rank for itself. */
StatusCode train_state_read_init(TrainState *state, const H5File *file, char renewed[LAYER_TEXT],
                                 Status *status);

/* The layers of such a model that the network has none of the same name for, "conv2, bn2"; "" if there are
 * none. Names beyond size bytes are cut off. Each rank for itself. */
StatusCode train_state_find_unused(const Network *net, const H5File *file, char *names, size_t size,
                                   Status *status);

/* STATUS_FAILED if parameters, velocities, statistics or averages aren't the same bits on all ranks, or not
 * numbers: the sentence names rank and array. Of ranks that differ those are named that are fewer. when: such
 * as "after step 3 of epoch 2"; advice: a clause of what to do, of which rank 0's is told. Collective: all
 * ranks agree. */
StatusCode train_state_compare_ranks(const TrainState *state, const Comm *comm, const char *when,
                                     const char *advice, Status *status);

#endif
