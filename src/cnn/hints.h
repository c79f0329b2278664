/* Hints where a configuration is legal but can't work well. */
#ifndef PARDIGITS_CNN_HINTS_H
#define PARDIGITS_CNN_HINTS_H

#include "cnn/cnn_options.h"
#include "cnn/network.h"

#include "core/log.h"
#include "model/train_job.h"
#include "parallel/comm.h"

#include <stdint.h>

/* Logs a line for each: too few steps, a batch larger than the data, batch norm of single values, random
 * changes of images that leave too little of what is drawn. images: trained on; steps: of the whole run. */
void cnn_log_hints(const CnnOptions *options, const Network *net, int64_t images, int64_t steps, Log *log);

/* Logs a line where ranks on several nodes, of which `node` are this one's, send more than they need to. */
void cnn_log_hint_of_nodes(const CnnOptions *options, const Comm *node, const Comm *ranks, Log *log);

/* Logs a line where the last epoch's mean loss and accuracy are those of guessing. steps: of the whole run.
 * Collective. */
void cnn_log_hint_of_result(const CnnOptions *options, const TrainJob *job, double loss, double accuracy,
                            int64_t steps);

/* What to do about a training that diverged. */
const char *cnn_divergence_advice(const CnnOptions *options);

#endif
