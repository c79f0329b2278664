/* What a training of a network begins with. Private to train.c. */
#ifndef PARDIGITS_CNN_TRAIN_LOAD_H
#define PARDIGITS_CNN_TRAIN_LOAD_H

#include "cnn/trainer.h"

/* Continues from the job's checkpoint, or starts. Collective: all ranks agree. */
StatusCode train_load(Trainer *trainer, Status *status);

#endif
