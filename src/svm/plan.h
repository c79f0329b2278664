/* Who solves which class pairs. */
#ifndef PARDIGITS_SVM_PLAN_H
#define PARDIGITS_SVM_PLAN_H

#include "model.h"

#include <stdint.h>

typedef struct {
    int count;           /* pairs to solve, of all ranks */
    int pair[SVM_PAIRS]; /* [count] by falling cost, then by number */
    int rank[SVM_PAIRS]; /* [count] who solves it */
} SvmPlan;

/* Predicted cost of solving a pair: the square of its number of samples. */
int64_t svm_pair_cost(const int64_t class_counts[CLASSES], int number);

/* Gives each pair that exists and isn't solved to the rank with the least work so far, the costliest pairs
 * first. */
SvmPlan svm_plan(const int64_t class_counts[CLASSES], const SvmPair pairs[SVM_PAIRS], int ranks);

#endif
