/* What the search has found, as a solution. */
#include "core/mem.h"
#include "svm/smo_solver.h"

#include <math.h>
#include <string.h>

/* v of all samples [n], of which all are active; freed by the caller. */
static double *gather_v(const Solver *s) {
    const int64_t n = s->problem->n, size = s->group.size, share = smo_share(s, 0);
    double *v = mem_new((size_t)n, sizeof *v), *all = mem_new((size_t)(size * share), sizeof *all);
    if (size > 1) {
        double *own = mem_new((size_t)share, sizeof *own); /* as long on each rank */
        memcpy(own, s->v, (size_t)s->active * sizeof *own);
        s->group.gather(s->group.context, own, share * (int64_t)sizeof *own, all);
        mem_free(own);
    } else {
        memcpy(all, s->v, (size_t)n * sizeof *all);
    }
    for (int64_t i = 0; i < n; i++)
        v[i] = all[i % size * share + i / size];
    mem_free(all);
    return v;
}

/* LIBSVM's rho: the mean of -v over free samples, or else the middle of what the bounded ones allow. */
static double find_rho(const Solver *s, const double *v) {
    double upper = INFINITY, lower = -INFINITY, sum = 0;
    int64_t free_count = 0;
    for (int64_t i = 0; i < s->problem->n; i++) {
        double value = -v[i];
        bool up = s->b[i]<smo_high(s->problem, i), down = s->b[i]> smo_low(s->problem, i);
        if (up && down) {
            sum += value;
            free_count++;
        } else if (up) {
            upper = value < upper ? value : upper;
        } else {
            lower = value > lower ? value : lower;
        }
    }
    return free_count ? sum / (double)free_count : (upper + lower) / 2;
}

SvmSolution smo_finish(Solver *s, bool converged) {
    double *v = gather_v(s), sum = 0;
    SvmSolution solution = {.rho = find_rho(s, v), .iterations = s->iterations, .converged = converged};
    for (int64_t i = 0; i < s->problem->n; i++) {
        double alpha = fabs(s->b[i]);
        sum += s->b[i] * v[i] + alpha;
        solution.support += alpha > 0;
        solution.bounded += alpha >= smo_bound(s->problem, i);
    }
    solution.objective = -sum / 2;
    solution.coefficient = s->b;
    s->b = NULL;
    mem_free(v);
    return solution;
}
