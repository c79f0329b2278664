/* The support vector machine between two classes: C-SVC's dual problem, solved by SMO.
 *
 * min 1/2 sum_ij b_i b_j K_ij - sum_i y_i b_i  over  b_i = y_i alpha_i,  0 <= alpha_i <= C,  sum_i b_i = 0
 *
 * Working sets are chosen by second-order information (Fan, Chen, Lin, "Working set selection using second
 * order information for training support vector machines", JMLR 6, 2005), with shrinking, as in LIBSVM (Chang
 * & Lin 2011). The decision value of an image x is sum_i b_i K(x_i, x) - rho. Nothing here communicates but
 * through SvmGroup. */
#ifndef PARDIGITS_SVM_SVM_H
#define PARDIGITS_SVM_SVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { SVM_RBF, SVM_POLY, SVM_LINEAR } SvmKernelType;

/* K(u, v) for bytes (pixels or features) scaled to [0,1], or with normalize for images scaled to length 1
 * (one without ink stays the zero vector): exp(-gamma |u-v|^2), (gamma u.v + coef0)^degree, u.v. */
typedef struct {
    SvmKernelType type;
    double gamma, coef0;
    int degree;
    bool normalize;
} SvmKernel;

/* What a kernel has to know of rows beside their products. */
typedef struct {
    const int32_t *norms;   /* squared lengths of rows of 8-bit pixels */
    const double *inverses; /* inverse lengths, for a kernel that normalises; else NULL */
} SvmLengths;

/* The inverse lengths [n] that the kernel wants, 0 of an empty row, or NULL if it wants none; freed by the
 * caller (mem_free). */
double *svm_kernel_inverses(const SvmKernel *kernel, const int32_t *norms, int64_t n);

/* Row `row` of them. */
static inline SvmLengths svm_lengths_from(SvmLengths lengths, int64_t row) {
    return (SvmLengths){lengths.norms + row, lengths.inverses ? lengths.inverses + row : NULL};
}

/* out[k] = K between one row and n others, whose exact dot products with it, of 8-bit pixels, are dots[k]. A
 * value depends on its three integers alone, to the last bit, and is the same with the two rows exchanged. */
void svm_kernel_values(const SvmKernel *kernel, SvmLengths one, SvmLengths others, const int32_t *dots,
                       float *out, int64_t n);

/* Where the solver's kernel values come from; one thread calls it. */
typedef struct {
    void *context;
    /* The columns that compute() gives from now on: samples columns[count], ascending, unchanged until the
     * next call. */
    void (*select)(void *context, const int32_t *columns, int64_t count);
    /* out[r][k] = K(sample rows[r], k-th selected column), r in [0, count). A value's bits must not depend on
     * what else is computed with it. */
    void (*compute)(void *context, const int32_t *rows, int count, float *const *out);
} SvmRows;

/* Ranks that solve one problem together: each holds a share of the samples' gradients and of the columns of
 * the kernel rows. The solution is the same on all of them, and the same as that of one rank alone. */
typedef struct {
    int rank, size; /* size 0 or 1: alone */
    /* all[size][bytes] = what each rank passed as mine[bytes], in the order of ranks. Collective. */
    void (*gather)(void *context, const void *mine, int64_t bytes, void *all);
    void *context;
} SvmGroup;

/* Rows that compute() is asked for at most. */
enum { SVM_BLOCK_ROWS = 32 };

typedef struct {
    int64_t n;             /* samples, of both classes */
    const int8_t *y;       /* [n] +1 or -1 */
    const float *diagonal; /* [n] K(i, i) */
    SvmRows rows;
    double c;                           /* bound of every alpha, or with c_negative of those of y = +1 */
    double c_negative;                  /* of those of y = -1; 0: c as well */
    double eps;                         /* stop when the largest violation of optimality is below this */
    int64_t cache_bytes;                /* for kernel rows; the solution doesn't depend on it */
    SvmGroup group;                     /* all its ranks solve the same problem; interrupted() may differ */
    bool (*interrupted)(void *context); /* asked every few milliseconds; may be NULL */
    void *interrupt_context;
} SvmProblem;

typedef struct {
    double *coefficient; /* [n] b_i = y_i alpha_i; freed by svm_solution_free */
    double rho, objective;
    int64_t support, bounded; /* samples with alpha > 0, and with alpha = C */
    int64_t iterations;
    bool converged; /* false: the limit of max(10^7, 100 n) iterations was reached first */
} SvmSolution;

/* Solves the problem. False if it was interrupted, on any rank of the group: then there is no solution.
 * Collective in the group. */
bool svm_solve(const SvmProblem *problem, SvmSolution *solution);

void svm_solution_free(SvmSolution *solution);

#endif
