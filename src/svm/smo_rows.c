/* Which kernel rows the solver computes when: never one alone if its neighbours in the search will be wanted
 * too. They don't change the solution, only how soon their rows are at hand. */
#include "svm/smo_solver.h"

#include <math.h>
#include <string.h>

/* Samples with the largest keys, best first, at most BLOCK_ROWS of them. */
typedef struct {
    int count;
    double key[BLOCK_ROWS];
    int64_t sample[BLOCK_ROWS];
} Best;

_Static_assert(sizeof(Best) <= SMO_RECORD_BYTES, "a gathered record has this room");

static void best_insert(Best *best, int limit, double key, int64_t sample) {
    if (best->count == limit && !(limit && key > best->key[limit - 1])) return;
    int at = best->count < limit ? best->count++ : limit - 1;
    for (; at > 0 && best->key[at - 1] < key; at--) {
        best->key[at] = best->key[at - 1];
        best->sample[at] = best->sample[at - 1];
    }
    best->key[at] = key;
    best->sample[at] = sample;
}

/* Rows to compute together: few in a small cache, or they would drive out each other before they are used. */
static int block_rows(const Solver *s) {
    int64_t share = s->cache.slots_max / 16;
    return share < 1 ? 1 : share < BLOCK_ROWS ? (int)share : BLOCK_ROWS;
}

/* The uncached active samples of this rank that violate optimality most, from either side. */
static void choose_own(const Solver *s, int64_t i, int limit_up, int limit_down, Best *up, Best *down) {
    for (int64_t k = 0; k < s->active; k++) {
        double key_up = s->v[k] + (double)s->up[k], key_down = -(s->v[k] + (double)s->down[k]);
        bool wanted_up = up->count < limit_up || (limit_up && key_up > up->key[limit_up - 1]);
        bool wanted_down = down->count < limit_down || (limit_down && key_down > down->key[limit_down - 1]);
        if (!(wanted_up || wanted_down) || s->sample[k] == i || row_cache_has(&s->cache, s->sample[k]))
            continue;
        /* A sample that can go both ways is taken for the side where it violates more. */
        if (wanted_up && key_up > -INFINITY && !(key_down > key_up))
            best_insert(up, limit_up, key_up, s->sample[k]);
        else if (wanted_down && key_down > -INFINITY)
            best_insert(down, limit_down, key_down, s->sample[k]);
    }
}

/* The best of all ranks. */
static Best merge(const Solver *s, const Best *own, int limit) {
    if (s->group.size == 1) return *own;
    const Best *all = smo_gather(s, own, sizeof *own);
    Best best = {0};
    for (int r = 0; r < s->group.size; r++)
        for (int k = 0; k < all[r].count; k++)
            best_insert(&best, limit, all[r].key[k], all[r].sample[k]);
    return best;
}

/* Which rows to compute along with that of sample i: half of them from either side. */
static int choose_block(const Solver *s, int64_t i, int32_t rows[BLOCK_ROWS]) {
    const int others = block_rows(s) - 1, limit_up = others / 2, limit_down = others - limit_up;
    Best up = {0}, down = {0};
    choose_own(s, i, limit_up, limit_down, &up, &down);
    up = merge(s, &up, limit_up);
    down = merge(s, &down, limit_down);
    int count = 0;
    rows[count++] = (int32_t)i;
    for (int r = 0; r < up.count; r++)
        rows[count++] = (int32_t)up.sample[r];
    for (int r = 0; r < down.count; r++)
        rows[count++] = (int32_t)down.sample[r];
    return count;
}

const float *smo_kernel_row(Solver *s, int64_t i) {
    if (row_cache_has(&s->cache, i)) return row_cache_get(&s->cache, i);
    int32_t rows[BLOCK_ROWS];
    float *out[BLOCK_ROWS];
    int count = choose_block(s, i, rows);
    for (int r = 0; r < count; r++)
        out[r] = row_cache_make(&s->cache, rows[r]);
    s->problem->rows.compute(s->problem->rows.context, rows, count, out);
    s->computed = true;
    return out[0];
}
