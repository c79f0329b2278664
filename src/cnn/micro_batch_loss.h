/* The end of a micro-batch's forward pass. */
#ifndef PARDIGITS_CNN_MICRO_BATCH_LOSS_H
#define PARDIGITS_CNN_MICRO_BATCH_LOSS_H

#include "cnn/micro_batch.h"

/* Of the first n images of work, from the last layer's outputs: writes work->gradient, that of those outputs,
 * and the contribution's loss and number of correct predictions. */
void micro_batch_loss(MicroBatchWork *work, int n, float *contribution);

/* What the contribution's loss is divided by; class_weights NULL: all are 1. */
double micro_batch_loss_unit(const double *class_weights);

#endif
