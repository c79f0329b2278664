/* Who solves which class pairs. */
#ifndef PARDIGITS_SVM_PLAN_H
#define PARDIGITS_SVM_PLAN_H

#include "svm/model.h"

#include <stdint.h>

typedef struct {
    int count;  /* pairs to solve, of all ranks */
    int *pair;  /* [count] by falling cost, then by number */
    int *rank;  /* [count] who solves it: ranks [rank, rank + ranks) together */
    int *ranks; /* [count] more than one only where these solve nothing else */
} SvmPlan;

/* Samples of each class. */
typedef struct {
    int classes;
    int64_t of[CLASSES_MAX]; /* [classes] */
} ClassCounts;

/* Samples of a pair, and the predicted cost of solving it: their square. */
int64_t svm_pair_samples(const ClassCounts *counts, int number);
int64_t svm_pair_cost(const ClassCounts *counts, int number);

/* Gives each pair that exists and isn't solved to the rank with the least work so far, the costliest pairs
 * first. Where there are ranks to spare, or a pair is far more work than a rank's share, several ranks get it
 * together, at least `shard` samples for each. Freed by svm_plan_free. */
SvmPlan svm_plan(const ClassCounts *counts, const SvmPairs *pairs, int ranks, int64_t shard);
void svm_plan_free(SvmPlan *plan);

/* Whether a rank takes part in the k-th pair of the plan. */
bool svm_plan_has(const SvmPlan *plan, int k, int rank);

#endif
