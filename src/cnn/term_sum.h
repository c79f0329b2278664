/* The exact sum of all leaves' terms over the threads and ranks of a step.
 *
 * The ranks of a node add to one sum in common memory, as their threads do. On one node the gradients of a
 * step with few leaves aren't even added up: each leaf writes its own into a slot, and term_sum_means
 * converts and adds those of all slots where they are needed, so that they go through memory once. Otherwise
 * the threads add leaf by leaf, in pieces with a lock each.
 *
 * What the first ranks of several nodes send over MPI are buckets: the gradients of a few stages of the way
 * back, last layers first. A bucket to which all leaves of this node have been added is sent at once, while
 * the threads still compute the layers below (Li et al., "PyTorch Distributed", VLDB 2020). The main thread
 * alone sends and must call term_sum_poll often, because MPI makes no progress by itself.
 *
 * A step: term_sum_begin; for each leaf term_sum_slot and term_sum_add; term_sum_finish; then the others. The
 * ranks of a node meet in a barrier before the next step begins. */
#ifndef PARDIGITS_CNN_TERM_SUM_H
#define PARDIGITS_CNN_TERM_SUM_H

#include "cnn/plan.h"

#include "parallel/comm.h"

typedef struct TermSum TermSum;

/* For the terms of leaf_run in steps of up to most_leaves on all ranks together. The plan is any leaf's;
 * node: this rank's part of node_ranks(ranks), kept. Collective; freed by term_sum_free, collectively. */
TermSum *term_sum_new(const Network *net, const LeafPlan *plan, int64_t most_leaves, const Comm *ranks,
                      const Comm *node);
void term_sum_free(TermSum **sum);

/* Begins a step in which this rank adds `leaves` of `all` leaves. By one thread. */
void term_sum_begin(TermSum *sum, int64_t leaves, int64_t all);

/* Where the next leaf is to write its terms, [leaf_term_count], 0 between arrays; NULL: anywhere. By any
 * thread. */
float *term_sum_slot(TermSum *sum);

/* Takes note that a leaf's terms of this range are final: an event of leaf_run, whose terms these are. By any
 * thread; `turn`, best different for each, says where it begins. */
void term_sum_add(TermSum *sum, Range range, const float *terms, int turn);

/* Sends what is ready and lets MPI work. By the main thread; true when nothing is left to send. */
bool term_sum_poll(TermSum *sum);

/* Waits until the sum is whole. By the main thread, when all leaves have been added. Collective. */
void term_sum_finish(TermSum *sum, bool signalled);

/* Whether any rank was signalled, in this step or before. */
bool term_sum_signalled(const TermSum *sum);

/* A sum that is no gradient, such as the loss. */
double term_sum_get(const TermSum *sum, int64_t term);

/* out[i] = sum range.begin+i / divisor, rounded once to float from double. By any thread; gradients once a
 * step. */
void term_sum_means(TermSum *sum, Range range, double divisor, float *out);

/* Whether any term was refused, in this step or before: the sums are worthless then. Known when
 * term_sum_means has been called for all gradients. */
bool term_sum_refused(const TermSum *sum);

#endif
