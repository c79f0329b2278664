/* The exact sum of all micro-batches' contributions over the threads, ranks and nodes of a step. How it comes
 * about, its way, is chosen when it is planned:
 *
 *     slots    (reducer_slots.c)    one node, few micro-batches: each writes its gradients into memory of its
 *                                   own, and they are added up where they are needed
 *     buckets  (reducer_buckets.c)  all else: added up in the node's memory, then over MPI while the threads
 *                                   still compute
 *
 * A step: gradient_reducer_begin; for each micro-batch gradient_reducer_slot and gradient_reducer_add;
 * gradient_reducer_finish; then the functions below it. A barrier of the node's ranks ends the step. */
#ifndef PARDIGITS_CNN_GRADIENT_REDUCER_H
#define PARDIGITS_CNN_GRADIENT_REDUCER_H

#include "cnn/plan.h"

#include "parallel/comm.h"

typedef struct GradientReducer GradientReducer;

/* For contributions of micro_batch_run in steps of up to most_micro_batches on all ranks together. The plan
 * is any micro-batch's; node: this rank's part of node_ranks(ranks). net, plan and node are kept. Collective;
 * freed by gradient_reducer_free, collectively. */
GradientReducer *gradient_reducer_new(const Network *net, const MicroBatchPlan *plan,
                                      int64_t most_micro_batches, const Comm *ranks, const Comm *node);
void gradient_reducer_free(GradientReducer **reducer);

/* "slots" or "buckets". */
const char *gradient_reducer_way(const GradientReducer *reducer);

/* Begins a step in which this rank adds `micro_batches` of `all` micro-batches. By one thread. */
void gradient_reducer_begin(GradientReducer *reducer, int64_t micro_batches, int64_t all);

/* Where the next micro-batch is to write its contribution, [contribution_floats], 0 between arrays; NULL:
 * anywhere. By any thread. */
float *gradient_reducer_slot(GradientReducer *reducer);

/* Takes note that these values of a micro-batch's contribution are final: an event of micro_batch_run. By any
 * thread; `turn`, best different for each, says where it begins. */
void gradient_reducer_add(GradientReducer *reducer, Range values, const float *contribution, int turn);

/* Sends what is ready and lets MPI work. By the main thread; true when nothing is left to send. */
bool gradient_reducer_poll(GradientReducer *reducer);

/* Waits until the sum is whole. By the main thread, when all micro-batches have been added. Collective. */
void gradient_reducer_finish(GradientReducer *reducer, bool signalled);

/* Whether any rank was signalled, in this step or before. */
bool gradient_reducer_signalled(const GradientReducer *reducer);

/* One of the sums that are not gradients, such as the loss. */
double gradient_reducer_get(const GradientReducer *reducer, int64_t value);

/* out[i] = sum values.begin+i / divisor, rounded once to float from double: all of them gradients, or none.
 * By any thread; gradients once a step. */
void gradient_reducer_means(GradientReducer *reducer, Range values, double divisor, float *out);

/* Whether any value was out of range, in this step or before: the sums are worthless then. Known when
 * gradient_reducer_means has been called for all gradients. */
bool gradient_reducer_out_of_range(const GradientReducer *reducer);

#endif
