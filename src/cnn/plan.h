/* In which order a micro-batch passes through the layers. A layer after the other for all images would send
 * every activation through memory; instead a stage takes a few images (a group) through several layers while
 * they are in the core's cache, then the next group. A stage ends where the next layer needs the whole
 * micro-batch: where a layer gathers, such as batch norm, whose statistics are made at the end of one stage
 * (forward: the moments of its input, back: the sums over its gradient) and used at the beginning of the
 * next, and before and after dense layers, which reuse their weights over all images.
 *
 * The plan depends on the network and the micro-batch alone, so it is the same for all workers. */
#ifndef PARDIGITS_CNN_PLAN_H
#define PARDIGITS_CNN_PLAN_H

#include "cnn/network.h"

#include "core/partition.h"

/* Layers [first, end), forward in this order, back from end - 1 to first. */
typedef struct {
    int first, end;
    int group;    /* images at a time: as fit the cache; back also as many as weight gradients want */
    Range params; /* back: the places in the parameter buffer whose gradients are complete after this stage */
} Stage;

typedef struct {
    int forward_count, backward_count;
    Stage forward[NETWORK_MAX_LAYERS + 1], backward[NETWORK_MAX_LAYERS + 1];
} MicroBatchPlan;

/* Stages back go down to the first layer with parameters; their params, one below the other, make up the
 * whole buffer. */
MicroBatchPlan micro_batch_plan_create(const Network *net, int micro_batch);

/* A team of so many threads shares a stage with up to so many groups layer by layer; with more, each thread
 * takes groups of its own. 0 for one thread. */
static inline int stage_few_groups(int threads) {
    return threads > 1 ? 2 * threads - 1 : 0;
}

#endif
