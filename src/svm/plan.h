/* Who solves which class pairs. */
#ifndef PARDIGITS_SVM_PLAN_H
#define PARDIGITS_SVM_PLAN_H

#include "svm/model.h"

#include <stdint.h>

typedef struct {
    int count;  /* pairs to solve, of all ranks */
    int *pair;  /* [count] by falling cost, then by number */
    int fixed;  /* the first ones, which are given to ranks that solve nothing else */
    int *rank;  /* [fixed] who solves it: ranks [rank, rank + ranks) together */
    int *ranks; /* [fixed] */
    int taker;  /* ranks from this one on take the pairs behind the fixed ones, in turn */
} SvmPlan;

/* Samples of each class. */
typedef struct {
    int classes;
    int64_t of[CLASSES_MAX]; /* [classes] */
} ClassCounts;

/* The predicted cost of solving a pair: the square of its samples. */
int64_t svm_pair_cost(const ClassCounts *counts, int number);

/* The pairs that exist and aren't solved. Where there are ranks to spare, or a pair is far more work than a
 * rank's share, several ranks get it together, at least `shard` samples for each; whoever of the others is
 * free takes the next of the rest. Freed by svm_plan_free. */
SvmPlan svm_plan(const ClassCounts *counts, const SvmPairs *pairs, int ranks, int64_t shard);
void svm_plan_free(SvmPlan *plan);

/* The fixed pair that a rank takes part in, as a place in the plan; -1: none. */
int svm_plan_fixed(const SvmPlan *plan, int rank);

#endif
