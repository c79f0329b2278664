/* Which ranks solve which pairs of classes. */
#include "svm/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_pair_is_planned_once(void **state) {
    (void)state;
    const int64_t counts[CLASSES] = {5, 6, 0, 7, 5, 1, 9, 9, 2, 3};
    SvmPair pairs[SVM_PAIRS] = {0};
    pairs[svm_pair_number(6, 7)].solved = true;
    for (int ranks = 1; ranks < 70; ranks += 17) {
        SvmPlan plan = svm_plan(counts, pairs, ranks, 1);
        bool seen[SVM_PAIRS] = {false};
        assert_int_equal(plan.count, 9 * 8 / 2 - 1);
        int busy = 0, last = -1;
        for (int k = 0; k < plan.count; k++) {
            int a, b;
            svm_pair_classes(plan.pair[k], &a, &b);
            assert_int_equal(svm_pair_number(a, b), plan.pair[k]);
            assert_true(a < b && counts[a] && counts[b] && !seen[plan.pair[k]]);
            assert_true(plan.rank[k] >= 0 && plan.rank[k] + plan.ranks[k] <= ranks);
            if (ranks >= plan.count) assert_true(plan.rank[k] > last);
            last = plan.rank[k] + plan.ranks[k] - 1;
            busy += plan.ranks[k];
            seen[plan.pair[k]] = true;
        }
        assert_false(seen[svm_pair_number(6, 7)]);
        if (ranks >= plan.count) assert_true(busy == ranks || busy > plan.count);
    }
}

/* A pair that is most of the work gets ranks of its own, which have nothing else to do. */
static void a_huge_pair_is_shared(void **state) {
    (void)state;
    const int64_t counts[CLASSES] = {1000, 1000, 10, 10, 10, 10, 10, 10, 10, 10};
    const SvmPair pairs[SVM_PAIRS] = {0};
    SvmPlan plan = svm_plan(counts, pairs, 10, 1);
    assert_int_equal(plan.pair[0], svm_pair_number(0, 1));
    assert_true(plan.rank[0] == 0 && plan.ranks[0] == 2);
    for (int k = 1; k < plan.count; k++)
        assert_true(plan.ranks[k] == 1 && plan.rank[k] >= 2);
    plan = svm_plan(counts, pairs, 10, 1500);
    for (int k = 0; k < plan.count; k++)
        assert_int_equal(plan.ranks[k], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_is_planned_once),
        cmocka_unit_test(a_huge_pair_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
