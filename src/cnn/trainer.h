/* A training of one network under way, and how it is saved. Private to train.c, train_load.c and
 * train_save.c. */
#ifndef PARDIGITS_CNN_TRAINER_H
#define PARDIGITS_CNN_TRAINER_H

#include "cnn/balance.h"
#include "cnn/network.h"
#include "cnn/state.h"
#include "cnn/train_report.h"
#include "cnn/train_step.h"

#include "data/shard.h"
#include "model/saver.h"

/* A training under way. */
typedef struct {
    TrainJob *job;
    CnnOptions options;
    Network net;
    BatchPartition partition;
    Balance balance;       /* of the ranks' shares in it */
    int64_t epochs, steps; /* of the run; of an epoch */
    uint32_t seed;
    Schedule schedule;
    Comm *node; /* the ranks that share the state */
    TrainState state;
    TrainStep train_step;
    TrainReport report;
    ProgressSave stalled_save;
    uint32_t *order; /* [samples] of the epoch; one for the ranks of a node */
    Saver *saver;
    int64_t unchecked_saves; /* by rank 0, since the ranks were last compared */
} Trainer;

/* Steps done since the start of the run. */
int64_t trainer_steps_done(const Trainer *trainer);

/* Whether the training ends here. */
bool trainer_is_finished(const Trainer *trainer);

/* Begins the saving of job->model_path; NULL there: nothing is saved. Not collective. */
void trainer_save_begin(Trainer *trainer);

/* Waits for the save that is under way. Not collective. */
void trainer_save_end(Trainer *trainer);

/* Whether all ranks still have the same weights, and these are numbers. Collective: all ranks agree. */
StatusCode trainer_compare_ranks(Trainer *trainer, Status *status);

/* Saves what the training ends with, metrics before the state: what they know beyond it is cut off on
 * resuming. Collective: all ranks agree. */
StatusCode trainer_save(const Trainer *trainer, Status *status);

/* Between two steps: rank 0 saves beside the training if it is time to. It alone does, as it has the whole
 * state, which nobody changes before it begins its next step. Not collective. */
void trainer_save_if_due(Trainer *trainer);

/* After a signal: saves, and says in status how to go on. Collective: all ranks agree. */
StatusCode trainer_save_and_stop(Trainer *trainer, Status *status);

#endif
