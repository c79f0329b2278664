#include "plan.h"

#include "pardigits/mem.h"

int64_t svm_pair_cost(const int64_t class_counts[CLASSES], int number) {
    int a, b;
    svm_pair_classes(number, &a, &b);
    int64_t samples = class_counts[a] + class_counts[b];
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

SvmPlan svm_plan(const int64_t class_counts[CLASSES], const SvmPair pairs[SVM_PAIRS], int ranks) {
    SvmPlan plan = {0};
    for (int p = 0; p < SVM_PAIRS; p++) {
        int a, b;
        svm_pair_classes(p, &a, &b);
        if (class_counts[a] && class_counts[b] && !pairs[p].solved) insert_pair(&plan, class_counts, p);
    }
    int64_t *load = mem_new((size_t)ranks, sizeof *load);
    for (int k = 0; k < plan.count; k++) {
        int least = 0;
        for (int r = 1; r < ranks; r++)
            if (load[r] < load[least]) least = r;
        load[least] += svm_pair_cost(class_counts, plan.pair[k]);
        plan.rank[k] = least;
    }
    mem_free(load);
    return plan;
}
