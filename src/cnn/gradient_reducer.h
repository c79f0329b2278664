/* The exact sum of all micro-batches' contributions over the threads, ranks and nodes of a step. How it comes
 * about, its method, is chosen when it is planned:
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

#include "core/trace.h"
#include "parallel/comm.h"

typedef struct GradientReducer GradientReducer;

/* What is to be reduced: contributions of micro_batch_run. */
typedef struct {
    const Network *net;
    const MicroBatchPlan *plan; /* any micro-batch's */
    int64_t most_micro_batches; /* of a step, on all ranks together */
    int bits;                   /* of a gradient's sum: 64, or 32 or 16 with ranges (gradient_blocks.h) */
    int32_t *ranges; /* [gradient_blocks_count] of the blocks in node memory: part of the training's state,
                        and updated in each step; NULL with 64 bits */
    uint32_t seed;   /* of the rounding to 16 bits */
} Reduction;

/* node: this rank's part of node_ranks(ranks). What the reduction points to and node are kept. Collective;
 * freed by gradient_reducer_free, collectively. */
GradientReducer *gradient_reducer_new(const Reduction *what, const Comm *ranks, const Comm *node);
void gradient_reducer_free(GradientReducer **reducer);

/* From now on the main thread's trace (NULL: none) has the messages between nodes. */
void gradient_reducer_trace(GradientReducer *reducer, TraceThread *trace);

/* How buckets cut the gradients: each of a stage back or more, in the order in which they become complete.
 * Writes buckets, at most plan->backward_count; returns how many there are. */
int gradient_reducer_buckets(const MicroBatchPlan *plan, Range *buckets);

/* A step and this rank's part of it. */
typedef struct {
    int64_t micro_batches; /* of this rank */
    int64_t all;           /* of all ranks */
    int64_t first;         /* this rank's first among all */
    uint32_t epoch;
    uint64_t step; /* of the epoch */
} ReducerStep;

/* By one thread. */
void gradient_reducer_begin(GradientReducer *reducer, const ReducerStep *step);

/* Where a micro-batch of this rank, 0 .. micro_batches - 1, is to write its contribution,
 * [contribution_floats], 0 between arrays; NULL: anywhere. By any thread. */
float *gradient_reducer_slot(GradientReducer *reducer, int64_t micro_batch);

/* Takes note that these values of a micro-batch's contribution are final: an event of micro_batch_run. By any
 * thread; `turn`, best different for each, says where it begins. */
void gradient_reducer_add(GradientReducer *reducer, int64_t micro_batch, Range values,
                          const float *contribution, int turn);

/* Sends what is ready and lets MPI work. By the main thread; true when nothing is left to send. */
bool gradient_reducer_poll(GradientReducer *reducer);

/* Waits until the sum is whole. By the main thread, when all micro-batches have been added. Collective. */
void gradient_reducer_finish(GradientReducer *reducer, bool signalled);

/* When this step's sums were under way between nodes, by timer_now_s: from the first message of this node
 * until the last sum was whole. Both are 0 if there is one node. */
typedef struct {
    double begin_s, end_s;
} ReducerTimes;
ReducerTimes gradient_reducer_times(const GradientReducer *reducer);

/* Whether any rank was signalled, in this step or before. */
bool gradient_reducer_signalled(const GradientReducer *reducer);

/* One of the sums that are not gradients, such as the loss. */
double gradient_reducer_get(const GradientReducer *reducer, int64_t value);

/* out[i] = sum values.begin+i / divisor, rounded once to float from double: all of them gradients, which are
 * whole blocks of BLOCK_FLOAT_VALUES from place 0 on, or none. By any thread; gradients once a step. */
void gradient_reducer_means(GradientReducer *reducer, Range values, double divisor, float *out);

/* Whether any value was NaN or out of range, in this step or before: the sums are worthless then. Known when
 * gradient_reducer_means has been called for all gradients. */
bool gradient_reducer_out_of_range(const GradientReducer *reducer);

/* Which of a contribution's values was out of range, on this rank's node; -1: none. Of several that which can
 * have caused the others: a batch norm statistic, of the first layer; else the loss; else the gradient of the
 * last array. */
int64_t gradient_reducer_cause(const GradientReducer *reducer);

#endif
