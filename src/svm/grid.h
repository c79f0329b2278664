/* A search for C and gamma by cross-validation over a grid. */
#ifndef PARDIGITS_SVM_GRID_H
#define PARDIGITS_SVM_GRID_H

#include "pardigits/config.h"
#include "solve_pairs.h"

#include <stdbool.h>

enum { SVM_GRID_MOST = 16 }; /* values of C, and of gamma */

typedef struct {
    int c_count, gamma_count;
    double c[SVM_GRID_MOST], gamma[SVM_GRID_MOST];
} SvmGrid;

/* The lists svm.grid_c and svm.grid_gamma. */
StatusCode svm_grid_read(const Config *config, SvmGrid *grid, Status *status);

/* Trains on svm.folds - 1 parts of the task's samples and tries on the other, for each part and each cell of
 * the grid; image i is in part i modulo the folds. Sets the task's C and gamma to the cell with the most
 * images right, the first of equals, writes the table `search` of the metrics and logs it. Work is cut into
 * (pair of classes, fold), which go through all cells with the same dot products, over ranks and threads.
 * Collective; returns whether a signal stopped it. */
bool svm_grid_search(SvmTask *task, const SvmGrid *grid);

#endif
