/* The exact sum of all leaves' terms over the threads and ranks of a step.
 *
 * The threads add to one sum, in pieces with a lock each. What is sent over MPI are buckets: the gradients of
 * a few stages of the way back, last layers first. A bucket to which all leaves of this rank have been added
 * is sent at once, while the threads still compute the layers below (Li et al., "PyTorch Distributed", VLDB
 * 2020). The main thread alone sends and must call term_sum_poll often, because MPI makes no progress by
 * itself. */
#ifndef PARDIGITS_CNN_TERM_SUM_H
#define PARDIGITS_CNN_TERM_SUM_H

#include "plan.h"

#include "pardigits/comm.h"
#include "pardigits/exact_sum.h"

typedef struct TermSum TermSum;

/* For the terms of leaf_run and one more, leaf_term_count(net): how many ranks were signalled to stop. The
 * plan is any leaf's. Freed by term_sum_free. */
TermSum *term_sum_new(const Network *net, const LeafPlan *plan, const Comm *comm);
void term_sum_free(TermSum **sum);

/* Begins a step in which this rank adds `leaves` leaves. By one thread. */
void term_sum_begin(TermSum *sum, int64_t leaves);

/* Takes note that a leaf's terms of this range are final: an event of leaf_run, whose terms these are. By any
 * thread; `turn`, best different for each, says where it begins. */
void term_sum_add(TermSum *sum, Range range, const float *terms, int turn);

/* Sends what is ready and lets MPI work. By the main thread; true when nothing is left to send. */
bool term_sum_poll(TermSum *sum);

/* Waits for the rest: the sum over all ranks. By the main thread, when all leaves have been added.
 * Collective. */
const ExactSum *term_sum_finish(TermSum *sum, bool signalled);

#endif
