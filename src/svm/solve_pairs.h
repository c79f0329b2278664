/* This rank's share of the class pairs, solved by its threads. */
#ifndef PARDIGITS_SVM_SOLVE_PAIRS_H
#define PARDIGITS_SVM_SOLVE_PAIRS_H

#include "model.h"
#include "plan.h"

/* What is known about a pair that was solved now, beside its solution. */
typedef struct {
    int64_t samples, bounded;
    bool converged;
    double seconds;
} SvmPairFacts;

typedef struct {
    const TrainJob *job;
    const ImageSet *train; /* all training images */
    SvmPlan plan;
    SvmKernel kernel;
    int64_t class_counts[CLASSES];
} SvmTask;

/* Solves the pairs that the plan gives to this rank into pairs and facts [SVM_PAIRS]. After a signal on any
 * rank the pairs under way are left unsolved. Collective (all ranks learn of the signal); returns whether
 * there was one. */
bool svm_solve_pairs(const SvmTask *task, SvmPair pairs[SVM_PAIRS], SvmPairFacts facts[SVM_PAIRS]);

#endif
