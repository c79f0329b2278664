/* A search for C and gamma by cross-validation over a grid. */
#ifndef PARDIGITS_SVM_GRID_H
#define PARDIGITS_SVM_GRID_H

#include "svm/solve_pairs.h"
#include "svm/votes.h"

#include <stdbool.h>

enum { SVM_GRID_MOST = 16 }; /* values of C, and of gamma */

typedef struct {
    int c_count, gamma_count;
    double c[SVM_GRID_MOST], gamma[SVM_GRID_MOST];
} SvmGrid;

/* The lists svm.grid_c and svm.grid_gamma. */
StatusCode svm_grid_read(const SvmOptions *options, SvmGrid *grid, Status *status);

/* No votes for the task and the grid: they come in svm.folds parts for each pair of classes. Freed by
 * svm_votes_free. */
SvmVotes svm_grid_votes(const SvmTask *task, const SvmGrid *grid);

/* How many parts there are in all. */
int svm_grid_parts(const SvmTask *task);

/* Has parts vote that haven't: trains on svm.folds - 1 folds of the task's samples and tries on the other,
 * for each cell of the grid; image i is in fold i modulo the folds. Parts, which go through all cells with
 * the same dot products, are spread over ranks and threads; after svm.checkpoint_s none is begun any more,
 * and those under way at a signal don't vote. Collective; returns whether a signal came. */
bool svm_grid_round(const SvmTask *task, const SvmGrid *grid, SvmVotes *votes);

/* Declares the table `search` of the metrics, so that a run that goes on after its search keeps it. */
void svm_grid_table(const TrainJob *job);

/* Sets the task's C and gamma to the cell with the most images right, the first of equals, writes the table
 * `search` of the metrics and logs it. */
void svm_grid_choose(SvmTask *task, const SvmGrid *grid, const SvmVotes *votes);

#endif
