/* A micro-batch's contribution to the sums of a step (micro_batch.h). It holds, in this order: gradients
 * [param_floats], the statistics of layers such as batch norm [statistic_floats] weighted by the
 * micro-batch's samples and in units of 1 / NETWORK_STATISTIC_UNIT, the loss, the number of correct
 * predictions. */
#ifndef PARDIGITS_CNN_CONTRIBUTION_H
#define PARDIGITS_CNN_CONTRIBUTION_H

#include "cnn/network.h"

int64_t contribution_loss(const Network *net);    /* its place */
int64_t contribution_correct(const Network *net); /* its place */
int64_t contribution_floats(const Network *net);  /* of all */

/* What a value of a contribution is, such as "the gradient of conv1/weight". */
void contribution_describe(const Network *net, int64_t value, char *text, int size);

#endif
