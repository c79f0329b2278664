#include "svm/plan.h"

#include "core/mem.h"

int64_t svm_pair_samples(const int64_t class_counts[CLASSES], int number) {
    int a, b;
    svm_pair_classes(number, &a, &b);
    return class_counts[a] + class_counts[b];
}

int64_t svm_pair_cost(const int64_t class_counts[CLASSES], int number) {
    int64_t samples = svm_pair_samples(class_counts, number);
    return samples * samples;
}

/* Keeps the plan's pairs in the order of falling cost, then of numbers. */
static void insert_pair(SvmPlan *plan, const int64_t class_counts[CLASSES], int number) {
    int at = plan->count++;
    int64_t cost = svm_pair_cost(class_counts, number);
    for (; at > 0 && svm_pair_cost(class_counts, plan->pair[at - 1]) < cost; at--)
        plan->pair[at] = plan->pair[at - 1];
    plan->pair[at] = number;
}

/* Ranks that may solve a pair together, by its size. */
static int most_ranks(const int64_t class_counts[CLASSES], int number, int64_t shard) {
    int64_t most = svm_pair_samples(class_counts, number) / shard;
    return most < 1 ? 1 : most > 1000000 ? 1000000 : (int)most;
}

/* Pairs [first, count) to whole ranks from `rank` on: each to the one with the least work so far. */
static void share_out(SvmPlan *plan, const int64_t class_counts[CLASSES], int first, int rank, int ranks) {
    int64_t *load = mem_new((size_t)ranks, sizeof *load);
    for (int k = first; k < plan->count; k++) {
        int least = 0;
        for (int r = 1; r < ranks; r++)
            if (load[r] < load[least]) least = r;
        load[least] += svm_pair_cost(class_counts, plan->pair[k]);
        plan->rank[k] = rank + least;
        plan->ranks[k] = 1;
    }
    mem_free(load);
}

/* At least as many ranks as pairs: each pair gets one, and then the pair with the most work a rank one more.
 */
static void group_ranks(SvmPlan *plan, const int64_t class_counts[CLASSES], int ranks, int64_t shard) {
    for (int k = 0; k < plan->count; k++)
        plan->ranks[k] = 1;
    for (int left = ranks - plan->count; left > 0; left--) {
        int most = -1;
        double most_cost = 0;
        for (int k = 0; k < plan->count; k++) {
            double cost = (double)svm_pair_cost(class_counts, plan->pair[k]) / plan->ranks[k];
            if (cost <= most_cost || plan->ranks[k] >= most_ranks(class_counts, plan->pair[k], shard))
                continue;
            most = k;
            most_cost = cost;
        }
        if (most < 0) break;
        plan->ranks[most]++;
    }
    for (int k = 0, rank = 0; k < plan->count; rank += plan->ranks[k++])
        plan->rank[k] = rank;
}

SvmPlan svm_plan(const int64_t class_counts[CLASSES], const SvmPair pairs[SVM_PAIRS], int ranks,
                 int64_t shard) {
    SvmPlan plan = {0};
    double left = 0;
    for (int p = 0; p < SVM_PAIRS; p++) {
        int a, b;
        svm_pair_classes(p, &a, &b);
        if (!class_counts[a] || !class_counts[b] || pairs[p].solved) continue;
        insert_pair(&plan, class_counts, p);
        left += (double)svm_pair_cost(class_counts, p);
    }
    if (ranks >= plan.count) {
        group_ranks(&plan, class_counts, ranks, shard);
        return plan;
    }
    /* pairs that are more than one and a half ranks' share of the work get ranks of their own */
    int first = 0, rank = 0;
    for (; first < plan.count; first++) {
        double cost = (double)svm_pair_cost(class_counts, plan.pair[first]);
        int share = (int)(cost * (ranks - rank) / left + 0.5),
            most = most_ranks(class_counts, plan.pair[first], shard);
        if (share > most) share = most;
        if (share < 2 || share >= ranks - rank) break;
        plan.rank[first] = rank;
        plan.ranks[first] = share;
        rank += share;
        left -= cost;
    }
    share_out(&plan, class_counts, first, rank, ranks - rank);
    return plan;
}

bool svm_plan_has(const SvmPlan *plan, int k, int rank) {
    return rank >= plan->rank[k] && rank < plan->rank[k] + plan->ranks[k];
}
