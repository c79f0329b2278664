/* How good the model of a training is on the held-out images. */
#ifndef PARDIGITS_CNN_VALIDATE_H
#define PARDIGITS_CNN_VALIDATE_H

#include "cnn/state.h"

#include "model/train_job.h"

/* NaN where no images are held out. */
typedef struct {
    double accuracy; /* share that is recognised */
    double loss;     /* the mean of -ln(probability of the true class), in nats */
} Validation;

/* The same bits on any number of ranks: each rank predicts a part, and the losses are added as integers.
 * Collective. */
Validation validate(const TrainJob *job, const TrainState *state);

#endif
