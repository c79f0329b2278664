/* The end of a micro-batch's forward pass. Private to micro_batch.c. */
#ifndef PARDIGITS_CNN_MICRO_BATCH_LOSS_H
#define PARDIGITS_CNN_MICRO_BATCH_LOSS_H

#include "cnn/micro_batch.h"

/* Of the first n images of work, from the last layer's outputs: writes work->gradient, that of those outputs,
 * and the contribution's loss and number of correct predictions. */
void micro_batch_loss(MicroBatchWork *work, int n, float *contribution);

#endif
