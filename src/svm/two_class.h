/* Machines between two sets of images, solved by one thread. */
#ifndef PARDIGITS_SVM_TWO_CLASS_H
#define PARDIGITS_SVM_TWO_CLASS_H

#include "svm/pair_workers.h"
#include "svm/svm.h"

#include <stdbool.h>
#include <stdint.h>

/* How to solve. */
typedef struct {
    const SvmKernel *kernel;
    const uint8_t *images; /* [][pixels] */
    int pixels;
    double c, c_negative, eps; /* as in SvmProblem */
    int64_t cache_bytes;
    SvmGroup group;       /* ranks that all solve it */
    PairWorkers *workers; /* helps with kernel rows */
    int thread;           /* of the solver, in the pair workers */
    bool (*interrupted)(void *context);
    void *interrupt_context;
} TwoClass;

/* Solves the problem of images index [n] with labels y [n]. Collective in the group, like all of this. False
 * if it was interrupted: then there is no solution. */
bool two_class_solve(const TwoClass *how, const int32_t *index, const int8_t *y, int64_t n,
                     SvmSolution *solution);

/* decision [count] = decision values of other images by a solution; sums run in the order of index. */
void two_class_decide(const TwoClass *how, const int32_t *index, int64_t n, const SvmSolution *solution,
                      const int32_t *others, int64_t count, double *decision);

/* Fits probabilities to decision values by cross-validation: sample k is in the fold group[k] of `folds`, and
 * is decided by what is trained on the other folds (LIBSVM's way, whose folds are random). False if it was
 * interrupted. */
bool two_class_calibrate(const TwoClass *how, const int32_t *index, const int8_t *y, const int32_t *group,
                         int64_t n, int folds, double *slope, double *offset);

#endif
