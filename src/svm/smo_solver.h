/* The solver's state, shared by its files.
 *
 * Several ranks may solve a problem together (SvmGroup): rank r of s holds the samples r, r + s, r + 2 s,
 * ...: their v, their bounds, and their columns of the kernel rows. All of them know every coefficient b, and
 * their caches hold the same rows. What they decide together, they decide from the gathered records of all,
 * so that all decide the same, and the same as a rank alone. */
#ifndef PARDIGITS_SVM_SMO_SOLVER_H
#define PARDIGITS_SVM_SMO_SOLVER_H

#include "svm/row_cache.h"
#include "svm/svm.h"

/* Arrays over "active" hold this rank's active samples, in ascending order, in their first `active` places.
 */
typedef struct {
    const SvmProblem *problem;
    SvmGroup group;
    void *records;       /* [group.size] gathered ones, room for SMO_RECORD_BYTES each */
    double *b;           /* [n] by sample */
    int64_t active;      /* this rank's samples that aren't shrunk */
    int64_t active_all;  /* those of all ranks */
    int64_t active_most; /* the most of any rank */
    int32_t *sample;     /* [active] which sample it is */
    double *v;           /* [active] */
    float *up;           /* [active] 0 if b can go up, else -inf: added to v it leaves only the eligible */
    float *down;         /* [active] 0 if b can go down, else +inf */
    float *diagonal;     /* [active] */
    RowCache cache;
    int64_t iterations;
    bool unshrunk;    /* the one return of all samples near the end has happened */
    bool computed;    /* kernel rows, since it was last asked whether to stop */
    bool interrupted; /* on this rank, and then on all */
} Solver;

enum {
    BLOCK_ROWS = SVM_BLOCK_ROWS, /* kernel rows that are computed together */
    ROWS_MIN = 2 * BLOCK_ROWS + 2,
    SMO_RECORD_BYTES = 16 * BLOCK_ROWS + 64,
};

/* Every rank's record, in the order of ranks; valid until the next call. Collective in the group. */
static inline const void *smo_gather(const Solver *s, const void *mine, int64_t bytes) {
    if (s->group.size == 1) return mine;
    s->group.gather(s->group.context, mine, bytes, s->records);
    return s->records;
}

/* K(i, active samples) of sample i. Valid until the next but one call. Collective. */
const float *smo_kernel_row(Solver *s, int64_t i);

/* The bound of alpha_i. */
static inline double smo_bound(const SvmProblem *problem, int64_t i) {
    return problem->y[i] < 0 && problem->c_negative > 0 ? problem->c_negative : problem->c;
}

/* The bounds of b_i. */
static inline double smo_high(const SvmProblem *problem, int64_t i) {
    return problem->y[i] > 0 ? problem->c : 0;
}

static inline double smo_low(const SvmProblem *problem, int64_t i) {
    return problem->y[i] > 0 ? 0 : -smo_bound(problem, i);
}

/* How many of the n samples a rank of the group holds. */
static inline int64_t smo_share(const Solver *s, int rank) {
    return (s->problem->n - rank + s->group.size - 1) / s->group.size;
}

/* Takes the coefficients out of the solver, whose samples are all active. Collective. */
SvmSolution smo_finish(Solver *s, bool converged);

#endif
