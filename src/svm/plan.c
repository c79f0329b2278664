#include "svm/plan.h"

#include "core/mem.h"

#include <stdlib.h>

static int64_t pair_samples(const ClassCounts *counts, int number) {
    int a, b;
    svm_pair_classes(counts->classes, number, &a, &b);
    return counts->of[a] + counts->of[b];
}

int64_t svm_pair_cost(const ClassCounts *counts, int number) {
    int64_t samples = pair_samples(counts, number);
    return samples * samples;
}

/* A pair on its way into the plan. */
typedef struct {
    int64_t cost;
    int number;
} Candidate;

/* By falling cost, then by number. */
static int compare_candidates(const void *a, const void *b) {
    const Candidate *left = a, *right = b;
    if (left->cost != right->cost) return left->cost > right->cost ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

/* The pairs that are to be solved, in their order, without ranks; *work: their cost. */
static SvmPlan list_pairs(const ClassCounts *counts, const SvmPairs *pairs, double *work) {
    const size_t most = (size_t)pairs->count;
    Candidate *candidates = mem_new(most, sizeof *candidates);
    SvmPlan plan = {0};
    size_t count = 0;
    *work = 0;
    for (int p = 0; p < pairs->count; p++) {
        int a, b;
        svm_pair_classes(pairs->classes, p, &a, &b);
        if (!counts->of[a] || !counts->of[b] || pairs->items[p].solved) continue;
        candidates[count++] = (Candidate){svm_pair_cost(counts, p), p};
        *work += (double)svm_pair_cost(counts, p);
    }
    plan.count = (int)count;
    qsort(candidates, count, sizeof *candidates, compare_candidates);
    plan.pair = mem_new(most, sizeof *plan.pair);
    plan.rank = mem_new(most, sizeof *plan.rank);
    plan.ranks = mem_new(most, sizeof *plan.ranks);
    for (int k = 0; k < plan.count; k++)
        plan.pair[k] = candidates[k].number;
    mem_free(candidates);
    return plan;
}

void svm_plan_free(SvmPlan *plan) {
    mem_free(plan->pair);
    mem_free(plan->rank);
    mem_free(plan->ranks);
    *plan = (SvmPlan){0};
}

/* Ranks that may solve a pair together, by its size. */
static int most_ranks(const ClassCounts *counts, int number, int64_t shard) {
    int64_t most = pair_samples(counts, number) / shard;
    return most < 1 ? 1 : most > 1000000 ? 1000000 : (int)most;
}

/* At least as many ranks as pairs: each pair gets one, and then the pair with the most work a rank one more.
 */
static void group_ranks(SvmPlan *plan, const ClassCounts *counts, int ranks, int64_t shard) {
    for (int k = 0; k < plan->count; k++)
        plan->ranks[k] = 1;
    for (int left = ranks - plan->count; left > 0; left--) {
        int most = -1;
        double most_cost = 0;
        for (int k = 0; k < plan->count; k++) {
            double cost = (double)svm_pair_cost(counts, plan->pair[k]) / plan->ranks[k];
            if (cost <= most_cost || plan->ranks[k] >= most_ranks(counts, plan->pair[k], shard)) continue;
            most = k;
            most_cost = cost;
        }
        if (most < 0) break;
        plan->ranks[most]++;
    }
    for (int k = 0, rank = 0; k < plan->count; rank += plan->ranks[k++])
        plan->rank[k] = rank;
    plan->fixed = plan->count;
    plan->taker = ranks;
}

SvmPlan svm_plan(const ClassCounts *counts, const SvmPairs *pairs, int ranks, int64_t shard) {
    double left;
    SvmPlan plan = list_pairs(counts, pairs, &left);
    if (ranks >= plan.count) {
        group_ranks(&plan, counts, ranks, shard);
        return plan;
    }
    /* pairs that are more than one and a half ranks' share of the work get ranks of their own */
    int first = 0, rank = 0;
    for (; first < plan.count; first++) {
        double cost = (double)svm_pair_cost(counts, plan.pair[first]);
        int share = (int)(cost * (ranks - rank) / left + 0.5),
            most = most_ranks(counts, plan.pair[first], shard);
        if (share > most) share = most;
        if (share < 2 || share >= ranks - rank) break;
        plan.rank[first] = rank;
        plan.ranks[first] = share;
        rank += share;
        left -= cost;
    }
    plan.fixed = first;
    plan.taker = rank;
    return plan;
}

int svm_plan_fixed(const SvmPlan *plan, int rank) {
    for (int k = 0; k < plan->fixed; k++)
        if (rank >= plan->rank[k] && rank < plan->rank[k] + plan->ranks[k]) return k;
    return -1;
}
