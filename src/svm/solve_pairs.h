/* Class pairs, solved by the threads of all ranks. */
#ifndef PARDIGITS_SVM_SOLVE_PAIRS_H
#define PARDIGITS_SVM_SOLVE_PAIRS_H

#include "svm/model.h"
#include "svm/plan.h"
#include "svm/svm_options.h"

/* What is known about a pair that was solved now, beside its solution. */
typedef struct {
    int64_t samples, bounded;
    bool converged;
    double seconds;
} SvmPairFacts;

typedef struct {
    const TrainJob *job;
    SvmOptions options;
    const SvmSamples *samples;
    SvmPlan plan;
    SvmKernel kernel;
    double c;
    bool searched;                     /* C and gamma are not those of the configuration */
    double class_weights[CLASSES_MAX]; /* [classes] C of a class is c times its weight */
    ClassCounts class_counts;
    bool present[CLASSES_MAX]; /* [classes] classes with samples */
    bool calibrate;            /* fit probabilities */
    bool last_stage;           /* what comes of it is the model, not support vectors to be shifted */
} SvmTask;

/* Solves pairs as the plan says: those that this rank solves get into pairs and their facts. After
 * svm.checkpoint_s none is begun any more. After a signal on any rank the pairs under way are left unsolved.
 * Collective (all ranks learn of the signal); returns whether there was one. */
bool svm_solve_pairs(const SvmTask *task, SvmPairs *pairs, SvmPairFacts *facts);

/* Gives every rank the pairs that any rank has solved by the plan, and what is known about them. Collective.
 */
void svm_share_pairs(const SvmTask *task, SvmPairs *pairs, SvmPairFacts *facts);

#endif
