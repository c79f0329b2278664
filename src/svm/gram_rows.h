/* Kernel rows from kept integer dot products: they don't depend on gamma, so a search over gamma computes
 * them once. One thread uses it. */
#ifndef PARDIGITS_SVM_GRAM_ROWS_H
#define PARDIGITS_SVM_GRAM_ROWS_H

#include "kernels/pixdot.h"
#include "store/image_set.h"
#include "svm/svm.h"

#include <stdint.h>

typedef struct {
    const SvmKernel *kernel; /* may be exchanged between two problems */
    int64_t n, others;       /* samples, which have rows; further images, which are columns only */
    PixRows packed;          /* [n + others] samples, then the others */
    double *inverses;        /* their inverse lengths as the kernel wants them */
    int32_t **dots;          /* [n] rows of n + others products that are kept, or NULL */
    int64_t rows_left;       /* how many more may be kept */
    int32_t *scratch;        /* [SVM_BLOCK_ROWS][n + others] for rows that aren't */
    int64_t count;           /* selected columns */
    const int32_t *columns;  /* [count] */
    int32_t *column_norms, *column_dots; /* [n] of the selected columns */
    double *column_inverses;             /* [n] likewise */
} GramRows;

/* Of images, the samples index[n] and then `others` more. Keeps rows within bytes. Freed by gram_rows_free.
 */
GramRows gram_rows_new(const SvmKernel *kernel, const ImageSet *images, const int32_t *index, int64_t n,
                       int64_t others, int64_t bytes);
void gram_rows_free(GramRows *rows);

/* The solver's interface to them, over the samples. */
SvmRows gram_rows_source(GramRows *rows);

/* out[i] = K(i, i) of the samples. */
void gram_rows_diagonal(const GramRows *rows, float *out);

/* decision [others] = sum over samples, in their order, of coefficient K(sample, other) - rho. */
void gram_rows_decide(GramRows *rows, const double *coefficient, double rho, double *decision);

#endif
