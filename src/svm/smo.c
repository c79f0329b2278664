/* SMO in terms of b_i = y_i alpha_i and v_i = y_i - sum_j b_j K_ij (LIBSVM's -y_i G_i). b_i lies in [low_i,
 * high_i], which is [0, C] for y_i = +1 and [-C, 0] for y_i = -1. It can go up if b_i < high_i and down if
 * b_i > low_i. With
 *
 *     m = max v_i over those that can go up,   M = min v_i over those that can go down,
 *
 * the solution is optimal when m - M <= 0. A step raises b_i and lowers b_j by the same t. */
#include "pardigits/mem.h"
#include "pardigits/svm.h"
#include "row_cache.h"

#include <math.h>
#include <string.h>

enum {
    SCAN = 256,                  /* samples whose largest value is found together, in vectors */
    SHRINK_EVERY = 300,          /* iterations */
    SHRINK_PART = 8,             /* every cached row is moved then, so only where this part of it goes */
    ASK_EVERY = 64,              /* iterations between two questions whether to stop */
    BLOCK_ROWS = SVM_BLOCK_ROWS, /* kernel rows that are computed together */
    ROWS_MIN = 2 * BLOCK_ROWS + 2,
};

/* Curvature of a pair of equal samples, as in LIBSVM. */
static const float curvature_min = 1e-12f;

/* Arrays over "active" hold the active samples, in ascending order, in their first `active` places. */
typedef struct {
    const SvmProblem *problem;
    double *b;       /* [n] by sample */
    int64_t active;  /* samples that aren't shrunk */
    int32_t *sample; /* [active] which sample it is */
    double *v;       /* [active] */
    float *up;       /* [active] 0 if b can go up, else -inf: added to v it leaves only the eligible */
    float *down;     /* [active] 0 if b can go down, else +inf */
    float *diagonal; /* [active] */
    RowCache cache;
    int64_t iterations;
    bool unshrunk; /* the one return of all samples near the end has happened */
} Solver;

static double high(const SvmProblem *problem, int64_t i) {
    return problem->y[i] > 0 ? problem->c : 0;
}

static double low(const SvmProblem *problem, int64_t i) {
    return problem->y[i] > 0 ? 0 : -problem->c;
}

static void set_bounds(Solver *s, int64_t place) {
    int64_t i = s->sample[place];
    s->up[place] = s->b[i] < high(s->problem, i) ? 0.0f : -INFINITY;
    s->down[place] = s->b[i] > low(s->problem, i) ? 0.0f : INFINITY;
}

/* All samples active, in their order. v is left to the caller. */
static void activate_all(Solver *s) {
    s->active = s->problem->n;
    for (int64_t i = 0; i < s->active; i++) {
        s->sample[i] = (int32_t)i;
        s->diagonal[i] = s->problem->diagonal[i];
        set_bounds(s, i);
    }
    s->problem->rows.select(s->problem->rows.context, s->sample, s->active);
    row_cache_clear(&s->cache, s->active);
}

static Solver solver_new(const SvmProblem *problem) {
    size_t n = (size_t)problem->n;
    Solver s = {.problem = problem};
    s.b = mem_new(n, sizeof *s.b);
    s.sample = mem_new(n, sizeof *s.sample);
    s.v = mem_new(n, sizeof *s.v);
    s.up = mem_new(n, sizeof *s.up);
    s.down = mem_new(n, sizeof *s.down);
    s.diagonal = mem_new(n, sizeof *s.diagonal);
    s.cache = row_cache_new(problem->n, problem->cache_bytes, ROWS_MIN);
    activate_all(&s);
    for (int64_t i = 0; i < problem->n; i++)
        s.v[i] = problem->y[i];
    return s;
}

static void solver_free(Solver *s) {
    mem_free(s->b);
    mem_free(s->sample);
    mem_free(s->v);
    mem_free(s->up);
    mem_free(s->down);
    mem_free(s->diagonal);
    row_cache_free(&s->cache);
}

/* The places with the largest keys, best first, at most BLOCK_ROWS of them. */
typedef struct {
    int count;
    double key[BLOCK_ROWS];
    int64_t place[BLOCK_ROWS];
} Best;

static void best_insert(Best *best, int limit, double key, int64_t place) {
    int at = best->count < limit ? best->count++ : limit - 1;
    for (; at > 0 && best->key[at - 1] < key; at--) {
        best->key[at] = best->key[at - 1];
        best->place[at] = best->place[at - 1];
    }
    best->key[at] = key;
    best->place[at] = place;
}

/* Rows to compute together: few in a small cache, or they would drive out each other before they are used. */
static int block_rows(const Solver *s) {
    int64_t share = s->cache.slots_max / 16;
    return share < 1 ? 1 : share < BLOCK_ROWS ? (int)share : BLOCK_ROWS;
}

/* Which rows to compute along with that of sample i: the uncached ones whose samples violate optimality most,
 * half of them from either side. They don't change the solution, only how soon their rows are at hand. */
static int choose_block(const Solver *s, int64_t i, int32_t rows[BLOCK_ROWS]) {
    const int others = block_rows(s) - 1, limit_up = others / 2, limit_down = others - limit_up;
    Best up = {0}, down = {0};
    for (int64_t k = 0; k < s->active; k++) {
        double key_up = s->v[k] + (double)s->up[k], key_down = -(s->v[k] + (double)s->down[k]);
        bool wanted_up = up.count < limit_up || (limit_up && key_up > up.key[limit_up - 1]);
        bool wanted_down = down.count < limit_down || (limit_down && key_down > down.key[limit_down - 1]);
        if (!(wanted_up || wanted_down) || s->sample[k] == i || row_cache_has(&s->cache, s->sample[k]))
            continue;
        /* A sample that can go both ways is taken for the side where it violates more. */
        if (wanted_up && key_up > -INFINITY && !(key_down > key_up))
            best_insert(&up, limit_up, key_up, k);
        else if (wanted_down && key_down > -INFINITY)
            best_insert(&down, limit_down, key_down, k);
    }
    int count = 0;
    rows[count++] = (int32_t)i;
    for (int r = 0; r < up.count; r++)
        rows[count++] = s->sample[up.place[r]];
    for (int r = 0; r < down.count; r++)
        rows[count++] = s->sample[down.place[r]];
    return count;
}

/* K(i, active samples) of the sample at this place. Valid until the next but one call. */
static const float *kernel_row(Solver *s, int64_t place) {
    int64_t i = s->sample[place];
    if (row_cache_has(&s->cache, i)) return row_cache_get(&s->cache, i);
    int32_t rows[BLOCK_ROWS];
    float *out[BLOCK_ROWS];
    int count = choose_block(s, i, rows);
    for (int r = 0; r < count; r++)
        out[r] = row_cache_make(&s->cache, rows[r]);
    s->problem->rows.compute(s->problem->rows.context, rows, count, out);
    return out[0];
}

/* The place of m among the active samples, the first of equals, or -1 if none can go up. */
static int64_t select_up(const Solver *s, double *m) {
    const double *restrict v = s->v;
    const float *restrict up = s->up;
    double best = -INFINITY;
    int64_t best_first = -1;
    for (int64_t first = 0; first < s->active; first += SCAN) {
        int64_t end = first + SCAN < s->active ? first + SCAN : s->active;
        double top = -INFINITY;
#pragma omp simd reduction(max : top)
        for (int64_t k = first; k < end; k++) {
            double key = v[k] + (double)up[k];
            top = key > top ? key : top;
        }
        if (top > best) {
            best = top;
            best_first = first;
        }
    }
    *m = best;
    if (best_first < 0) return -1;
    int64_t k = best_first;
    while (!(v[k] + (double)up[k] == best))
        k++;
    return k;
}

/* With place i going up: the place whose going down promises the largest decrease d^2 / (2 (K_ii + K_jj - 2
 * K_ij)) of the objective, d = m - v_j > 0 (the first of equals; -1 if there is none), and M. */
static int64_t select_down(const Solver *s, int64_t i, double m, const float *restrict row, double *lowest) {
    const double *restrict v = s->v;
    const float *restrict down = s->down, *restrict diagonal = s->diagonal;
    const float diagonal_i = diagonal[i];
    double bottom = INFINITY;
    float best = 0, gains[SCAN];
    int64_t chosen = -1;
    for (int64_t first = 0; first < s->active; first += SCAN) {
        int64_t count = first + SCAN < s->active ? SCAN : s->active - first;
        float top = 0;
#pragma omp simd reduction(max : top) reduction(min : bottom)
        for (int64_t k = 0; k < count; k++) {
            double key = v[first + k] + (double)down[first + k];
            bottom = key < bottom ? key : bottom;
            float d = (float)(m - key);
            float curvature = diagonal_i + diagonal[first + k] - 2 * row[first + k];
            curvature = curvature > curvature_min ? curvature : curvature_min;
            float gain = d > 0 ? d * d / curvature : 0;
            gains[k] = gain;
            top = gain > top ? gain : top;
        }
        if (top > best) {
            best = top;
            int64_t k = 0;
            while (!(gains[k] == top))
                k++;
            chosen = first + k;
        }
    }
    *lowest = bottom;
    return chosen;
}

/* The best step along b_i + t, b_j - t within the bounds. */
static double step(Solver *s, int64_t place_i, int64_t place_j, float k_ij) {
    const SvmProblem *problem = s->problem;
    int64_t i = s->sample[place_i], j = s->sample[place_j];
    double curvature = (double)s->diagonal[place_i] + (double)s->diagonal[place_j] - 2 * (double)k_ij;
    if (curvature <= 0) curvature = (double)curvature_min;
    double t = (s->v[place_i] - s->v[place_j]) / curvature;
    double room_i = high(problem, i) - s->b[i], room_j = s->b[j] - low(problem, j);
    double b_i = s->b[i] + t, b_j = s->b[j] - t;
    if (t >= room_i || t >= room_j) {
        t = room_i < room_j ? room_i : room_j;
        b_i = t == room_i ? high(problem, i) : s->b[i] + t;
        b_j = t == room_j ? low(problem, j) : s->b[j] - t;
    }
    s->b[i] = b_i;
    s->b[j] = b_j;
    set_bounds(s, place_i);
    set_bounds(s, place_j);
    return t;
}

/* v -= t (K_i - K_j) */
static void update(Solver *s, double t, const float *restrict row_i, const float *restrict row_j) {
    double *restrict v = s->v;
    for (int64_t k = 0; k < s->active; k++)
        v[k] -= t * ((double)row_i[k] - (double)row_j[k]);
}

/* v of the inactive samples, which haven't been followed, from all b; then all are active. Adds in the order
 * of samples. */
static void reconstruct(Solver *s) {
    const SvmProblem *problem = s->problem;
    int64_t n = problem->n, missing = 0, next = 0;
    if (s->active == n) return;
    double *v = mem_new((size_t)n, sizeof *v), *sums = mem_new((size_t)n, sizeof *sums);
    int32_t *absent = mem_new((size_t)n, sizeof *absent);
    for (int64_t i = 0; i < n; i++) {
        if (next < s->active && s->sample[next] == i)
            v[i] = s->v[next++];
        else
            absent[missing++] = (int32_t)i;
    }
    problem->rows.select(problem->rows.context, absent, missing);
    float *values = mem_new((size_t)(BLOCK_ROWS * missing), sizeof *values), *out[BLOCK_ROWS];
    for (int r = 0; r < BLOCK_ROWS; r++)
        out[r] = values + r * missing;
    for (int64_t i = 0; i < n;) {
        int32_t rows[BLOCK_ROWS] = {0};
        int count = 0;
        for (; i < n && count < BLOCK_ROWS; i++)
            if (s->b[i] != 0) rows[count++] = (int32_t)i;
        if (count) problem->rows.compute(problem->rows.context, rows, count, out);
        for (int r = 0; r < count; r++)
            for (int64_t k = 0; k < missing; k++)
                sums[k] += s->b[rows[r]] * (double)out[r][k];
    }
    for (int64_t k = 0; k < missing; k++)
        v[absent[k]] = problem->y[absent[k]] - sums[k];
    memcpy(s->v, v, (size_t)n * sizeof *v);
    activate_all(s);
    mem_free(values);
    mem_free(absent);
    mem_free(sums);
    mem_free(v);
}

/* Drops the active samples that are at a bound and, by m and M, want to stay there. */
static void shrink(Solver *s, double m, double lowest) {
    int32_t *keep = mem_new((size_t)s->active, sizeof *keep);
    int64_t count = 0;
    for (int64_t k = 0; k < s->active; k++) {
        bool stays_high = s->up[k] != 0 && s->v[k] > m, stays_low = s->down[k] != 0 && s->v[k] < lowest;
        if (!stays_high && !stays_low) keep[count++] = (int32_t)k;
    }
    if (count <= s->active - s->active / SHRINK_PART) {
        for (int64_t k = 0; k < count; k++) {
            s->sample[k] = s->sample[keep[k]];
            s->v[k] = s->v[keep[k]];
            s->up[k] = s->up[keep[k]];
            s->down[k] = s->down[keep[k]];
            s->diagonal[k] = s->diagonal[keep[k]];
        }
        s->active = count;
        row_cache_compact(&s->cache, keep, count);
        s->problem->rows.select(s->problem->rows.context, s->sample, count);
    }
    mem_free(keep);
}

/* M over the active samples. */
static double lowest_down(const Solver *s) {
    double bottom = INFINITY;
    for (int64_t k = 0; k < s->active; k++)
        if (s->v[k] + (double)s->down[k] < bottom) bottom = s->v[k] + (double)s->down[k];
    return bottom;
}

static void shrink_now(Solver *s) {
    double m, lowest;
    if (select_up(s, &m) < 0) return;
    lowest = lowest_down(s);
    if (!s->unshrunk && m - lowest <= 10 * s->problem->eps) {
        s->unshrunk = true;
        reconstruct(s);
    }
    shrink(s, m, lowest);
}

/* One step; false if the active samples satisfy the stopping rule. */
static bool iterate(Solver *s) {
    double m, lowest;
    int64_t i = select_up(s, &m);
    if (i < 0) return false;
    const float *row_i = kernel_row(s, i);
    int64_t j = select_down(s, i, m, row_i, &lowest);
    if (j < 0 || m - lowest < s->problem->eps) return false;
    const float *row_j = kernel_row(s, j);
    double t = step(s, i, j, row_i[j]);
    update(s, t, row_i, row_j);
    s->iterations++;
    return true;
}

/* LIBSVM's rho: the mean of -v over free samples, or else the middle of what the bounded ones allow. */
static double find_rho(const Solver *s) {
    double upper = INFINITY, lower = -INFINITY, sum = 0;
    int64_t free_count = 0;
    for (int64_t i = 0; i < s->problem->n; i++) {
        double value = -s->v[i];
        if (s->up[i] == 0 && s->down[i] == 0) {
            sum += value;
            free_count++;
        } else if (s->up[i] == 0) {
            upper = value < upper ? value : upper;
        } else {
            lower = value > lower ? value : lower;
        }
    }
    return free_count ? sum / (double)free_count : (upper + lower) / 2;
}

/* Takes the coefficients out of the solver. All samples are active. */
static SvmSolution finish(Solver *s, bool converged) {
    SvmSolution solution = {.rho = find_rho(s), .iterations = s->iterations, .converged = converged};
    double sum = 0;
    for (int64_t i = 0; i < s->problem->n; i++) {
        double alpha = fabs(s->b[i]);
        sum += s->b[i] * s->v[i] + alpha;
        solution.support += alpha > 0;
        solution.bounded += alpha >= s->problem->c;
    }
    solution.objective = -sum / 2;
    solution.coefficient = s->b;
    s->b = NULL;
    return solution;
}

bool svm_solve(const SvmProblem *problem, SvmSolution *solution) {
    Solver s = solver_new(problem);
    int64_t limit = problem->n > 100000 ? 100 * problem->n : 10000000;
    int64_t shrink_every = problem->n < SHRINK_EVERY ? problem->n : SHRINK_EVERY, until_shrink = shrink_every;
    bool converged = false, interrupted = false;
    while (s.iterations < limit) {
        if (s.iterations % ASK_EVERY == 0 && problem->interrupted &&
            (interrupted = problem->interrupted(problem->interrupt_context)))
            break;
        if (--until_shrink == 0) {
            until_shrink = shrink_every;
            shrink_now(&s);
        }
        if (iterate(&s)) continue;
        if (s.active == problem->n) {
            converged = true;
            break;
        }
        reconstruct(&s); /* and see whether the rule holds for all */
        if (iterate(&s))
            until_shrink = 1;
        else {
            converged = true;
            break;
        }
    }
    if (!interrupted) {
        reconstruct(&s);
        *solution = finish(&s, converged);
    }
    solver_free(&s);
    return !interrupted;
}

void svm_solution_free(SvmSolution *solution) {
    mem_free(solution->coefficient);
    *solution = (SvmSolution){0};
}
