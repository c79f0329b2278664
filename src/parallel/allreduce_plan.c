#include "parallel/allreduce_plan.h"

#include <stddef.h>

/* The largest power of two that isn't above ranks. */
static int power_below(int ranks) {
    int power = 1;
    while (power * 2 <= ranks)
        power *= 2;
    return power;
}

static int log2_of(int power) {
    int log = 0;
    while (1 << log < power)
        log++;
    return log;
}

/* Ranks beyond a power of two hand their values to a partner below it first and get the sum from it last.
 * Returns how many steps this took; *partner is false where this rank only waits for its sum. */
static int fold(int rank, int ranks, int64_t n, AllreduceStep *steps, bool *takes_part) {
    const int power = power_below(ranks), extra = ranks - power;
    const Range all = {0, n}, none = {0, 0};
    *takes_part = rank < power;
    if (rank >= power) {
        steps[0] = (AllreduceStep){rank - power, -1, all, none, false};
        return 1;
    }
    if (rank >= extra) return 0;
    steps[0] = (AllreduceStep){-1, rank + power, none, all, true};
    return 1;
}

static int unfold(int rank, int ranks, int64_t n, AllreduceStep *steps) {
    const int power = power_below(ranks), extra = ranks - power;
    const Range all = {0, n}, none = {0, 0};
    if (rank >= power) {
        steps[0] = (AllreduceStep){-1, rank - power, none, all, false};
        return 1;
    }
    if (rank >= extra) return 0;
    steps[0] = (AllreduceStep){rank + power, -1, all, none, false};
    return 1;
}

static int count_doubling(int ranks) {
    return log2_of(power_below(ranks)) + 2;
}

static int plan_doubling(int rank, int ranks, int64_t n, AllreduceStep *steps) {
    bool takes_part;
    int count = fold(rank, ranks, n, steps, &takes_part);
    const Range all = {0, n};
    for (int bit = 1; takes_part && bit < power_below(ranks); bit *= 2)
        steps[count++] = (AllreduceStep){rank ^ bit, rank ^ bit, all, all, true};
    return count + unfold(rank, ranks, n, steps + count);
}

static int count_halving(int ranks) {
    return 2 * log2_of(power_below(ranks)) + 2;
}

/* The parts [first, first + count) of `power` of n values. */
static Range parts_of(int64_t n, int power, int first, int count) {
    return (Range){partition_range(n, power, first).begin, partition_range(n, power, first + count - 1).end};
}

static int plan_halving(int rank, int ranks, int64_t n, AllreduceStep *steps) {
    bool takes_part;
    const int power = power_below(ranks);
    int count = fold(rank, ranks, n, steps, &takes_part), own = 0;
    for (int half = power / 2; takes_part && half > 0; half /= 2) {
        const int keep = own + (rank & half ? half : 0), give = own + (rank & half ? 0 : half);
        steps[count++] = (AllreduceStep){rank ^ half, rank ^ half, parts_of(n, power, give, half),
                                         parts_of(n, power, keep, half), true};
        own = keep;
    }
    for (int half = 1; takes_part && half < power; half *= 2) {
        const int mine = own & ~(half - 1), theirs = mine ^ half;
        steps[count++] = (AllreduceStep){rank ^ half, rank ^ half, parts_of(n, power, mine, half),
                                         parts_of(n, power, theirs, half), false};
    }
    return count + unfold(rank, ranks, n, steps + count);
}

static int count_ring(int ranks) {
    return 2 * (ranks - 1);
}

static int plan_ring(int rank, int ranks, int64_t n, AllreduceStep *steps) {
    const int to = (rank + 1) % ranks, from = (rank + ranks - 1) % ranks;
    for (int s = 0; s < 2 * (ranks - 1); s++) {
        const bool add = s < ranks - 1;
        const int sent = (rank - s + 2 * ranks) % ranks, received = (rank - s - 1 + 2 * ranks) % ranks;
        steps[s] = (AllreduceStep){to, from, partition_range(n, ranks, sent),
                                   partition_range(n, ranks, received), add};
    }
    return 2 * (ranks - 1);
}

const AllreducePlan allreduce_plans[] = {{"doubling", count_doubling, plan_doubling, 1},
                                         {"halving", count_halving, plan_halving, 2},
                                         {"ring", count_ring, plan_ring, 0},
                                         {0}};

const AllreducePlan *allreduce_choose(int64_t bytes, int ranks) {
    enum { SMALL_BYTES = 1 << 14 }; /* of which latency is most of the time */
    const bool power = power_below(ranks) == ranks;
    return &allreduce_plans[bytes <= SMALL_BYTES ? 0 : power ? 1 : 2];
}
