/* Training of the CNN family: epochs of steps, validation, metrics, checkpoints. */
#ifndef PARDIGITS_CNN_TRAIN_H
#define PARDIGITS_CNN_TRAIN_H

#include "pardigits/family.h"

/* As ModelFamily.train. */
StatusCode cnn_train(TrainJob *job, Status *status);

#endif
