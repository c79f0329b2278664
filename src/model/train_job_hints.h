/* Hints at training images that leave something to be wished for. */
#ifndef PARDIGITS_MODEL_TRAIN_JOB_HINTS_H
#define PARDIGITS_MODEL_TRAIN_JOB_HINTS_H

#include "model/train_job.h"

/* Logs a hint where training images, or held-out ones, are of one class or of some classes only. Collective.
 */
void train_job_log_hints(const TrainJob *job);

#endif
