/* All weights of a network as the convolution kernels want them; shared by the threads, in training also by
 * the ranks of a node. */
#ifndef PARDIGITS_CNN_PACKED_WEIGHTS_H
#define PARDIGITS_CNN_PACKED_WEIGHTS_H

#include "cnn/network.h"

#include "parallel/comm.h"

typedef struct {
    const Comm *node;
    float *forward[NETWORK_MAX_LAYERS], *backward[NETWORK_MAX_LAYERS]; /* NULL where a layer needs none */
    _Atomic int *next_task;                                            /* of packing */
} PackedWeights;

/* In the memory of a node's ranks (NULL: of this one alone). Collective in the node; freed by
 * packed_weights_free. */
PackedWeights packed_weights_new(const Network *net, const Comm *node);
void packed_weights_free(PackedWeights *packed);

/* Packs params [param_floats], once after packed_weights_new or packed_weights_restart. By any number of
 * threads of the node's ranks at once, which share the work; done when the last one has returned. */
void packed_weights_fill(const Network *net, const float *params, const PackedWeights *packed);

/* New params are going to be packed. By one thread; a barrier must follow. */
void packed_weights_restart(const PackedWeights *packed);

#endif
