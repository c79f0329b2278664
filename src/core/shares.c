#include "core/shares.h"

#include "core/mem.h"
#include "core/partition.h"

#include <string.h>

static double seconds_of(const ShareCost *cost, int64_t items) {
    return cost->fixed_s + (double)items * cost->each_s;
}

double shares_seconds(const ShareCost *costs, const int64_t *shares, int workers) {
    double last_s = 0;
    for (int w = 0; w < workers; w++) {
        const double done_s = seconds_of(&costs[w], shares[w]);
        if (done_s > last_s) last_s = done_s;
    }
    return last_s;
}

void shares_choose(const ShareCost *costs, int workers, int64_t items, int64_t *shares) {
    memset(shares, 0, (size_t)workers * sizeof *shares);
    for (int64_t i = 0; i < items; i++) {
        int first = 0;
        for (int w = 1; w < workers; w++)
            if (seconds_of(&costs[w], shares[w] + 1) < seconds_of(&costs[first], shares[first] + 1))
                first = w;
        shares[first]++;
    }
}

/* The costs with the unknown ones filled in; freed by the caller. NULL: none is known. */
static ShareCost *known_costs(const ShareCost *costs, int workers) {
    int slowest = 0;
    for (int w = 1; w < workers; w++)
        if (costs[w].each_s > costs[slowest].each_s) slowest = w;
    if (!(costs[slowest].each_s > 0)) return NULL;
    ShareCost *known = mem_copy(costs, (size_t)workers * sizeof *costs);
    for (int w = 0; w < workers; w++)
        if (!(known[w].each_s > 0)) known[w] = costs[slowest];
    return known;
}

bool shares_adapt(const ShareCost *costs, int workers, int64_t *shares) {
    ShareCost *known = known_costs(costs, workers);
    if (!known) return false;
    int64_t items = 0, *best = mem_new((size_t)workers, sizeof *best);
    for (int w = 0; w < workers; w++)
        items += shares[w];
    shares_choose(known, workers, items, best);
    const bool better = shares_seconds(known, best, workers) < 0.9 * shares_seconds(known, shares, workers);
    if (better) memcpy(shares, best, (size_t)workers * sizeof *shares);
    mem_free(best);
    mem_free(known);
    return better;
}

/* What a worker does of the work beside its fixed part, when all are done at a time. */
static double part_of(double speed, double all_speed, double all_work, int64_t fixed) {
    const double part = speed / all_speed * all_work - (double)fixed;
    return part > 0 ? part : 0;
}

void shares_cut(const double *speeds, int workers, int64_t items, int64_t fixed, int64_t *cuts) {
    double slowest = speeds[0], all = 0, parts = 0, before = 0;
    for (int w = 0; w < workers; w++) {
        all += speeds[w];
        if (speeds[w] < slowest) slowest = speeds[w];
    }
    const bool even = !(slowest > 0) || slowest * workers > 0.9 * all;
    const double work = (double)items + (double)workers * (double)fixed;
    for (int w = 0; w < workers && !even; w++)
        parts += part_of(speeds[w], all, work, fixed);
    cuts[0] = 0;
    for (int w = 0; w < workers; w++) {
        if (!even) before += part_of(speeds[w], all, work, fixed);
        cuts[w + 1] =
            even ? partition_range(items, workers, w).end : (int64_t)((double)items * (before / parts));
    }
    cuts[workers] = items;
}
