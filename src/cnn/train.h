/* Training of one network: epochs of steps, validation, metrics, checkpoints. */
#ifndef PARDIGITS_CNN_TRAIN_H
#define PARDIGITS_CNN_TRAIN_H

#include "model/model.h"

/* Refuses a network or sizes of batches that can't be trained (STATUS_USAGE). */
StatusCode cnn_train_check(const Config *config, ImageSpec spec, Status *status);

/* As ModelFamily.check_length: only a constant learning rate doesn't depend on the number of epochs. */
StatusCode cnn_check_length(const Config *begun, const Config *config, Status *status);

/* Trains one network, as ModelFamily.train. */
StatusCode cnn_train(TrainJob *job, Status *status);

/* As ModelFamily.rehearse: takes the first steps of the training and times them. */
StatusCode cnn_rehearse(TrainJob *job, Output *output, int64_t *bytes, Status *status);

#endif
