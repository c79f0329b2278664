#include "parallel/allreduce_plan.h"

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

/* Ranks that doubling and halving, which take a power of two, leave aside: of the first 2 * extra ranks each
 * odd one hands its values to its neighbour first and gets the sum from it last. Places count the others. */
typedef struct {
    int power, extra;
    int place; /* of this rank; -1: it only waits for its sum */
} Fold;

static Fold fold_of(int rank, int ranks) {
    const int power = power_below(ranks), extra = ranks - power;
    const bool takes_part = rank >= 2 * extra || rank % 2 == 0;
    return (Fold){power, extra, !takes_part ? -1 : rank < 2 * extra ? rank / 2 : rank - extra};
}

static int rank_of(const Fold *fold, int place) {
    return place < fold->extra ? 2 * place : place + fold->extra;
}

static AllreduceStep exchange(const Fold *fold, int place, Range send, Range receive, bool add) {
    const int rank = rank_of(fold, place);
    return (AllreduceStep){rank, rank, send, receive, add};
}

/* The step in which neighbours hand over their values, or with `back` get the sum; returns how many this rank
 * has. */
static int fold(const Fold *fold, int rank, int64_t n, bool back, AllreduceStep *steps) {
    const Range all = {0, n}, none = {0, 0};
    const bool gives = (fold->place < 0) != back;
    if (rank >= 2 * fold->extra) return 0;
    steps[0] = gives ? (AllreduceStep){rank ^ 1, -1, all, none, false}
                     : (AllreduceStep){-1, rank ^ 1, none, all, !back};
    return 1;
}

static int count_doubling(int ranks) {
    return log2_of(power_below(ranks)) + (power_below(ranks) < ranks ? 2 : 0);
}

static int plan_doubling(int rank, int ranks, int64_t n, AllreduceStep *steps) {
    const Fold folded = fold_of(rank, ranks);
    const Range all = {0, n};
    int count = fold(&folded, rank, n, false, steps);
    for (int bit = 1; folded.place >= 0 && bit < folded.power; bit *= 2)
        steps[count++] = exchange(&folded, folded.place ^ bit, all, all, true);
    return count + fold(&folded, rank, n, true, steps + count);
}

static int count_halving(int ranks) {
    return 2 * log2_of(power_below(ranks)) + (power_below(ranks) < ranks ? 2 : 0);
}

/* The parts [first, first + count) of `power` of n values. */
static Range parts_of(int64_t n, int power, int first, int count) {
    return (Range){partition_range(n, power, first).begin, partition_range(n, power, first + count - 1).end};
}

/* The largest messages go to the nearest ranks, which are more often on the same switch: the first exchange
 * is of half the values with the next place, the last one of few values with the farthest. */
static int plan_halving(int rank, int ranks, int64_t n, AllreduceStep *steps) {
    const Fold folded = fold_of(rank, ranks);
    const int place = folded.place, power = folded.power;
    int count = fold(&folded, rank, n, false, steps), own = 0, parts = power;
    for (int bit = 1; place >= 0 && bit < power; bit *= 2) {
        parts /= 2;
        const int keep = own + (place & bit ? parts : 0), give = own + (place & bit ? 0 : parts);
        steps[count++] = exchange(&folded, place ^ bit, parts_of(n, power, give, parts),
                                  parts_of(n, power, keep, parts), true);
        own = keep;
    }
    for (int bit = power / 2; place >= 0 && bit > 0; bit /= 2) {
        steps[count++] = exchange(&folded, place ^ bit, parts_of(n, power, own, parts),
                                  parts_of(n, power, own ^ parts, parts), false);
        own &= ~parts;
        parts *= 2;
    }
    return count + fold(&folded, rank, n, true, steps + count);
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

/* Few values: as few messages as possible. Otherwise halving where ranks are a power of two, which sends as
 * little as the ring in fewer messages. Where they aren't, folding doubles the bytes, so the ring is better
 * unless it takes too many messages: a message more costs as much as sending so many bytes (tests/simulate:
 * 30 us on 10 Gbit/s, 3 us on 100 Gbit/s). */
const AllreducePlan *allreduce_choose(int64_t bytes, int ranks) {
    enum { SMALL_BYTES = 1 << 14, MESSAGE_COST_BYTES = 1 << 15 };
    const bool power = power_below(ranks) == ranks;
    const int64_t more_messages = count_ring(ranks) - count_halving(ranks);
    if (bytes <= SMALL_BYTES) return &allreduce_plans[0];
    return &allreduce_plans[power || 2 * bytes < more_messages * MESSAGE_COST_BYTES ? 1 : 2];
}
