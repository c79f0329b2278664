/* A whole network in double precision, written from the definitions: what src/cnn is checked against. */
#ifndef PARDIGITS_TESTS_REF_REF_NETWORK_H
#define PARDIGITS_TESTS_REF_REF_NETWORK_H

#include "cnn/network.h"

#include <stdint.h>

/* The micro-batch that is computed. */
typedef struct {
    int n;
    const uint8_t *images;   /* [n][height][width] */
    const uint8_t *labels;   /* [n] */
    const uint32_t *indices; /* [n] in the training set */
    uint32_t seed, epoch;    /* of dropout */
} RefLeaf;

/* The summed cross-entropy of the micro-batch in training; params [param_floats]. */
double ref_network_loss(const Network *net, const RefLeaf *micro_batch, const double *params);

/* Logits [n][classes] in use: batch norm by statistics [statistic_floats], no dropout. */
void ref_network_logits(const Network *net, const RefLeaf *micro_batch, const double *params,
                        const float *statistics, double *logits);

#endif
