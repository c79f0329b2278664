/* SMO in terms of b_i = y_i alpha_i and v_i = y_i - sum_j b_j K_ij (LIBSVM's -y_i G_i). b_i lies in [low_i,
 * high_i], which is [0, C] for y_i = +1 and [-C, 0] for y_i = -1. It can go up if b_i < high_i and down if
 * b_i > low_i. With
 *
 *     m = max v_i over those that can go up,   M = min v_i over those that can go down,
 *
 * the solution is optimal when m - M <= 0. A step raises b_i and lowers b_j by the same t. */
#include "core/mem.h"
#include "svm/smo_solver.h"

#include <math.h>
#include <string.h>

enum {
    SCAN = 256,         /* samples whose largest value is found together, in vectors */
    SHRINK_EVERY = 300, /* iterations */
    SHRINK_PART = 8,    /* every cached row is moved then, so only where this part of it goes */
    ASK_EVERY = 64, /* iterations between two questions whether to stop; rows that are computed take long */
};

/* Curvature of a pair of equal samples, as in LIBSVM. */
static const float curvature_min = 1e-12f;

static void set_bounds(Solver *s, int64_t place) {
    int64_t i = s->sample[place];
    s->up[place] = s->b[i] < smo_high(s->problem, i) ? 0.0f : -INFINITY;
    s->down[place] = s->b[i] > smo_low(s->problem, i) ? 0.0f : INFINITY;
}

/* All samples active, in their order. v is left to the caller. */
static void activate_all(Solver *s) {
    s->active = 0;
    for (int64_t i = s->group.rank; i < s->problem->n; i += s->group.size) {
        int64_t k = s->active++;
        s->sample[k] = (int32_t)i;
        s->diagonal[k] = s->problem->diagonal[i];
        set_bounds(s, k);
    }
    s->active_all = s->problem->n;
    s->active_most = smo_share(s, 0);
    s->problem->rows.select(s->problem->rows.context, s->sample, s->active);
    row_cache_clear(&s->cache, s->active_most);
}

static Solver solver_new(const SvmProblem *problem) {
    Solver s = {.problem = problem, .group = problem->group};
    if (s.group.size <= 1) s.group = (SvmGroup){.size = 1};
    size_t share = (size_t)smo_share(&s, 0);
    s.records = mem_new((size_t)s.group.size, SMO_RECORD_BYTES);
    s.b = mem_new((size_t)problem->n, sizeof *s.b);
    s.sample = mem_new(share, sizeof *s.sample);
    s.v = mem_new(share, sizeof *s.v);
    s.up = mem_new(share, sizeof *s.up);
    s.down = mem_new(share, sizeof *s.down);
    s.diagonal = mem_new(share, sizeof *s.diagonal);
    s.cache = row_cache_new(problem->n, smo_share(&s, 0), problem->cache_bytes, ROWS_MIN);
    activate_all(&s);
    for (int64_t k = 0; k < s.active; k++)
        s.v[k] = problem->y[s.sample[k]];
    return s;
}

static void solver_free(Solver *s) {
    mem_free(s->records);
    mem_free(s->b);
    mem_free(s->sample);
    mem_free(s->v);
    mem_free(s->up);
    mem_free(s->down);
    mem_free(s->diagonal);
    row_cache_free(&s->cache);
}

/* The place of m among this rank's active samples, the first of equals, or -1 if none can go up. */
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

/* The sample that goes up, with m. */
typedef struct {
    int64_t sample; /* -1: none can */
    double v;
    float diagonal;
    bool interrupted;
    int64_t place; /* on the rank that holds it, else -1 */
} Up;

_Static_assert(sizeof(Up) <= SMO_RECORD_BYTES, "a gathered record has this room");

/* The sample of m among all, the first of equals. */
static Up find_up(Solver *s) {
    Up own = {.sample = -1, .v = -INFINITY, .interrupted = s->interrupted};
    own.place = select_up(s, &own.v);
    if (own.place >= 0) {
        own.sample = s->sample[own.place];
        own.diagonal = s->diagonal[own.place];
    }
    const Up *all = smo_gather(s, &own, sizeof own);
    Up best = all[0];
    for (int r = 1; r < s->group.size; r++) {
        bool stop = best.interrupted || all[r].interrupted;
        if (all[r].sample >= 0 && (all[r].v > best.v || (all[r].v == best.v && all[r].sample < best.sample)))
            best = all[r];
        best.interrupted = stop;
    }
    if (best.sample != own.sample) best.place = -1;
    s->interrupted = best.interrupted;
    return best;
}

/* With sample i going up: the place of this rank whose going down promises the largest decrease d^2 / (2
 * (K_ii + K_jj - 2 K_ij)) of the objective, d = m - v_j > 0 (the first of equals; -1 if there is none), that
 * decrease doubled, and this rank's M. */
static int64_t select_down(const Solver *s, const Up *i, const float *restrict row, double *lowest,
                           float *gain_of) {
    const double *restrict v = s->v;
    const float *restrict down = s->down, *restrict diagonal = s->diagonal;
    const float diagonal_i = i->diagonal;
    const double m = i->v;
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
    *gain_of = best;
    return chosen;
}

/* The sample that goes down, with M. */
typedef struct {
    int64_t sample; /* -1: none promises a decrease */
    double v, lowest;
    float diagonal, k_ij, gain;
    int64_t place; /* on the rank that holds it, else -1 */
} Down;

_Static_assert(sizeof(Down) <= SMO_RECORD_BYTES, "a gathered record has this room");

/* The best such sample of all, the first of equals. */
static Down find_down(const Solver *s, const Up *i, const float *row) {
    Down own = {.sample = -1};
    own.place = select_down(s, i, row, &own.lowest, &own.gain);
    if (own.place >= 0) {
        own.sample = s->sample[own.place];
        own.v = s->v[own.place];
        own.diagonal = s->diagonal[own.place];
        own.k_ij = row[own.place];
    }
    const Down *all = smo_gather(s, &own, sizeof own);
    Down best = all[0];
    for (int r = 1; r < s->group.size; r++) {
        double lowest = all[r].lowest < best.lowest ? all[r].lowest : best.lowest;
        if (all[r].sample >= 0 && (best.sample < 0 || all[r].gain > best.gain ||
                                   (all[r].gain == best.gain && all[r].sample < best.sample)))
            best = all[r];
        best.lowest = lowest;
    }
    if (best.sample != own.sample) best.place = -1;
    return best;
}

/* The best step along b_i + t, b_j - t within the bounds. */
static double step(Solver *s, const Up *up, const Down *down) {
    const SvmProblem *problem = s->problem;
    int64_t i = up->sample, j = down->sample;
    double curvature = (double)up->diagonal + (double)down->diagonal - 2 * (double)down->k_ij;
    if (curvature <= 0) curvature = (double)curvature_min;
    double t = (up->v - down->v) / curvature;
    double room_i = smo_high(problem, i) - s->b[i], room_j = s->b[j] - smo_low(problem, j);
    double b_i = s->b[i] + t, b_j = s->b[j] - t;
    if (t >= room_i || t >= room_j) {
        t = room_i < room_j ? room_i : room_j;
        b_i = t == room_i ? smo_high(problem, i) : s->b[i] + t;
        b_j = t == room_j ? smo_low(problem, j) : s->b[j] - t;
    }
    s->b[i] = b_i;
    s->b[j] = b_j;
    if (up->place >= 0) set_bounds(s, up->place);
    if (down->place >= 0) set_bounds(s, down->place);
    return t;
}

/* v -= t (K_i - K_j) */
static void update(Solver *s, double t, const float *restrict row_i, const float *restrict row_j) {
    double *restrict v = s->v;
    for (int64_t k = 0; k < s->active; k++)
        v[k] -= t * ((double)row_i[k] - (double)row_j[k]);
}

/* sums[k] = sum_i b_i K(i, columns[k]), in the order of samples. */
static void sum_rows(const Solver *s, const int32_t *columns, int64_t count, double *sums) {
    const SvmRows *rows = &s->problem->rows;
    if (count == 0) return;
    rows->select(rows->context, columns, count);
    float *values = mem_new((size_t)(BLOCK_ROWS * count), sizeof *values), *out[BLOCK_ROWS];
    for (int r = 0; r < BLOCK_ROWS; r++)
        out[r] = values + r * count;
    for (int64_t i = 0; i < s->problem->n;) {
        int32_t block[BLOCK_ROWS] = {0};
        int of_block = 0;
        for (; i < s->problem->n && of_block < BLOCK_ROWS; i++)
            if (s->b[i] != 0) block[of_block++] = (int32_t)i;
        if (of_block) rows->compute(rows->context, block, of_block, out);
        for (int r = 0; r < of_block; r++)
            for (int64_t k = 0; k < count; k++)
                sums[k] += s->b[block[r]] * (double)out[r][k];
    }
    mem_free(values);
}

/* v of the inactive samples, which haven't been followed, from all b; then all are active. */
static void reconstruct(Solver *s) {
    const SvmProblem *problem = s->problem;
    if (s->active_all == problem->n) return;
    const size_t share = (size_t)smo_share(s, s->group.rank);
    int64_t missing = 0, next = 0, k = 0;
    double *v = mem_new(share, sizeof *v), *sums = mem_new(share, sizeof *sums);
    int32_t *absent = mem_new(share, sizeof *absent), *place = mem_new(share, sizeof *place);
    for (int64_t i = s->group.rank; i < problem->n; i += s->group.size, k++) {
        if (next < s->active && s->sample[next] == i) {
            v[k] = s->v[next++];
        } else {
            place[missing] = (int32_t)k;
            absent[missing++] = (int32_t)i;
        }
    }
    sum_rows(s, absent, missing, sums);
    for (int64_t a = 0; a < missing; a++)
        v[place[a]] = problem->y[absent[a]] - sums[a];
    memcpy(s->v, v, share * sizeof *v);
    activate_all(s);
    mem_free(place);
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
    const int64_t own[] = {count};
    const int64_t *all = smo_gather(s, own, sizeof own);
    int64_t total = 0, most = 0;
    for (int r = 0; r < s->group.size; r++) {
        total += all[r];
        most = all[r] > most ? all[r] : most;
    }
    if (total <= s->active_all - s->active_all / SHRINK_PART) {
        for (int64_t k = 0; k < count; k++) {
            s->sample[k] = s->sample[keep[k]];
            s->v[k] = s->v[keep[k]];
            s->up[k] = s->up[keep[k]];
            s->down[k] = s->down[keep[k]];
            s->diagonal[k] = s->diagonal[keep[k]];
        }
        s->active = count;
        s->active_all = total;
        s->active_most = most;
        row_cache_compact(&s->cache, keep, count, most);
        s->problem->rows.select(s->problem->rows.context, s->sample, count);
    }
    mem_free(keep);
}

/* M over this rank's active samples. */
static double lowest_down(const Solver *s) {
    double bottom = INFINITY;
    for (int64_t k = 0; k < s->active; k++)
        if (s->v[k] + (double)s->down[k] < bottom) bottom = s->v[k] + (double)s->down[k];
    return bottom;
}

static void shrink_now(Solver *s) {
    double own[2] = {-INFINITY, lowest_down(s)}, m = -INFINITY, lowest = INFINITY;
    select_up(s, &own[0]);
    const double(*all)[2] = smo_gather(s, own, sizeof own);
    for (int r = 0; r < s->group.size; r++) {
        m = all[r][0] > m ? all[r][0] : m;
        lowest = all[r][1] < lowest ? all[r][1] : lowest;
    }
    if (m == -INFINITY) return;
    if (!s->unshrunk && m - lowest <= 10 * s->problem->eps) {
        s->unshrunk = true;
        reconstruct(s);
    }
    shrink(s, m, lowest);
}

/* One step; false if the active samples satisfy the stopping rule, or the search is interrupted. */
static bool iterate(Solver *s) {
    Up i = find_up(s);
    if (i.sample < 0 || s->interrupted) return false;
    const float *row_i = smo_kernel_row(s, i.sample);
    Down j = find_down(s, &i, row_i);
    if (j.sample < 0 || i.v - j.lowest < s->problem->eps) return false;
    const float *row_j = smo_kernel_row(s, j.sample);
    double t = step(s, &i, &j);
    update(s, t, row_i, row_j);
    s->iterations++;
    return true;
}

/* Searches until the stopping rule holds for all samples; false if it came to its limit, or was interrupted.
 */
static bool search(Solver *s) {
    const SvmProblem *problem = s->problem;
    int64_t limit = problem->n > 100000 ? 100 * problem->n : 10000000;
    int64_t shrink_every = problem->n < SHRINK_EVERY ? problem->n : SHRINK_EVERY, until_shrink = shrink_every;
    while (s->iterations < limit) {
        if ((s->iterations % ASK_EVERY == 0 || s->computed) && problem->interrupted)
            s->interrupted = problem->interrupted(problem->interrupt_context);
        s->computed = false;
        if (--until_shrink == 0) {
            until_shrink = shrink_every;
            shrink_now(s);
        }
        if (iterate(s)) continue;
        if (s->interrupted) return false;
        if (s->active_all == problem->n) return true;
        reconstruct(s); /* and see whether the rule holds for all */
        if (!iterate(s)) return !s->interrupted;
        until_shrink = 1;
    }
    return false;
}

bool svm_solve(const SvmProblem *problem, SvmSolution *solution) {
    Solver s = solver_new(problem);
    bool converged = search(&s), interrupted = s.interrupted;
    if (!interrupted) {
        reconstruct(&s);
        *solution = smo_finish(&s, converged);
    }
    solver_free(&s);
    return !interrupted;
}

void svm_solution_free(SvmSolution *solution) {
    mem_free(solution->coefficient);
    *solution = (SvmSolution){0};
}
