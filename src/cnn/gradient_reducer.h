/* The exact sum of all micro-batches' terms over the threads and ranks of a step.
 *
 * The ranks of a node add to one sum in common memory, as their threads do. On one node the gradients of a
 * step with few micro-batches aren't even added up: each micro-batch writes its own into a slot, and
 * gradient_reducer_means converts and adds those of all slots where they are needed, so that they go through
 * memory once. Otherwise the threads add micro-batch by micro-batch, in pieces with a lock each.
 *
 * What the first ranks of several nodes send over MPI are buckets: the gradients of a few stages of the way
 * back, last layers first. A bucket to which all micro-batches of this node have been added is sent at once,
 * while the threads still compute the layers below (Li et al., "PyTorch Distributed", VLDB 2020). The main
 * thread alone sends and must call gradient_reducer_poll often, because MPI makes no progress by itself.
 *
 * A step: gradient_reducer_begin; for each micro-batch gradient_reducer_slot and gradient_reducer_add;
 * gradient_reducer_finish; then the others. The ranks of a node meet in a barrier before the next step
 * begins. */
#ifndef PARDIGITS_CNN_GRADIENT_REDUCER_H
#define PARDIGITS_CNN_GRADIENT_REDUCER_H

#include "cnn/plan.h"

#include "parallel/comm.h"

typedef struct GradientReducer GradientReducer;

/* For the terms of micro_batch_run in steps of up to most_micro_batches on all ranks together. The plan is
 * any micro-batch's; node: this rank's part of node_ranks(ranks), kept. Collective; freed by
 * gradient_reducer_free, collectively. */
GradientReducer *gradient_reducer_new(const Network *net, const MicroBatchPlan *plan,
                                      int64_t most_micro_batches, const Comm *ranks, const Comm *node);
void gradient_reducer_free(GradientReducer **sum);

/* Begins a step in which this rank adds `micro-batches` of `all` micro-batches. By one thread. */
void gradient_reducer_begin(GradientReducer *sum, int64_t micro_batches, int64_t all);

/* Where the next micro-batch is to write its terms, [contribution_floats], 0 between arrays; NULL:
 * anywhere. By any thread. */
float *gradient_reducer_slot(GradientReducer *sum);

/* Takes note that a micro-batch's terms of this range are final: an event of micro_batch_run, whose terms
 * these are. By any thread; `turn`, best different for each, says where it begins. */
void gradient_reducer_add(GradientReducer *sum, Range range, const float *terms, int turn);

/* Sends what is ready and lets MPI work. By the main thread; true when nothing is left to send. */
bool gradient_reducer_poll(GradientReducer *sum);

/* Waits until the sum is whole. By the main thread, when all micro-batches have been added. Collective. */
void gradient_reducer_finish(GradientReducer *sum, bool signalled);

/* Whether any rank was signalled, in this step or before. */
bool gradient_reducer_signalled(const GradientReducer *sum);

/* A sum that is no gradient, such as the loss. */
double gradient_reducer_get(const GradientReducer *sum, int64_t term);

/* out[i] = sum range.begin+i / divisor, rounded once to float from double. By any thread; gradients once a
 * step. */
void gradient_reducer_means(GradientReducer *sum, Range range, double divisor, float *out);

/* Whether any term was refused, in this step or before: the sums are worthless then. Known when
 * gradient_reducer_means has been called for all gradients. */
bool gradient_reducer_out_of_range(const GradientReducer *sum);

#endif
