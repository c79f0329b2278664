/* Training of one network: epochs of steps, validation, metrics, checkpoints. */
#ifndef PARDIGITS_CNN_TRAIN_H
#define PARDIGITS_CNN_TRAIN_H

#include "model/model.h"

/* The tables of metrics that it writes. */
typedef struct {
    const char *name;
    const MetricsColumn *columns;
    int count;
} TrainTable;
enum { TRAIN_TABLES = 2 };
extern const TrainTable train_tables[TRAIN_TABLES];

/* Refuses a network or sizes of batches that can't be trained (STATUS_USAGE). */
StatusCode cnn_train_check(const Config *config, ImageSpec spec, Status *status);

/* Trains one network, as ModelFamily.train. */
StatusCode cnn_train(TrainJob *job, Status *status);

#endif
