/* The update of a step: the optimizer, batch norm's running statistics, the moving averages and the packed
 * weights, from the reduced sums. Each node makes it by itself, with all threads of its ranks. */
#ifndef PARDIGITS_CNN_TRAIN_UPDATE_H
#define PARDIGITS_CNN_TRAIN_UPDATE_H

#include "cnn/train_step.h"

typedef struct {
    TrainStep *step;
    TrainState *state;
    StepPlace place;
    double micro_batches; /* that the sums are divided by */
    double wait_s;        /* out: the main thread waited so long for other ranks */
    bool diverged;        /* out: a value was out of range */
} TrainUpdate;

/* Collective in the node. */
void train_update_run(TrainUpdate *update);

#endif
