/* The validation of a model when its training has ended: timed and reported. */
#ifndef PARDIGITS_MODEL_VALIDATION_H
#define PARDIGITS_MODEL_VALIDATION_H

#include "model/model.h"

/* Before job->valid is predicted. Returns when it began. */
double validation_begin(const TrainJob *job);

/* After it: writes its time and accuracy to the metrics and the log. predictions [job->valid.n], n > 0. */
void validation_end(const TrainJob *job, double began_s, const Prediction *predictions);

#endif
