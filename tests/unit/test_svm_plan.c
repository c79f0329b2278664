/* Which ranks solve which pairs of classes. */
#include "svm/plan.h"
#include "svm/votes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_pair_is_planned_once(void **state) {
    (void)state;
    const ClassCounts counts = {10, {5, 6, 0, 7, 5, 1, 9, 9, 2, 3}};
    SvmPairs pairs = svm_pairs_new(10);
    pairs.items[svm_pair_number(10, 6, 7)].solved = true;
    for (int ranks = 1; ranks < 70; ranks += 17) {
        SvmPlan plan = svm_plan(&counts, &pairs, ranks, 1);
        bool seen[45] = {false};
        assert_int_equal(plan.count, 9 * 8 / 2 - 1);
        int busy = 0, last = -1;
        for (int k = 0; k < plan.count; k++) {
            int a, b;
            svm_pair_classes(10, plan.pair[k], &a, &b);
            assert_int_equal(svm_pair_number(10, a, b), plan.pair[k]);
            assert_true(a < b && counts.of[a] && counts.of[b] && !seen[plan.pair[k]]);
            seen[plan.pair[k]] = true;
            if (k >= plan.fixed) continue;
            assert_true(plan.rank[k] > last && plan.ranks[k] >= 1);
            last = plan.rank[k] + plan.ranks[k] - 1;
            busy += plan.ranks[k];
            assert_int_equal(svm_plan_fixed(&plan, last), k);
        }
        assert_false(seen[svm_pair_number(10, 6, 7)]);
        assert_true(busy == last + 1 && busy <= plan.taker && plan.taker <= ranks);
        assert_true(plan.fixed == plan.count || plan.taker < ranks);
        assert_int_equal(plan.fixed == plan.count, ranks >= plan.count);
        if (ranks >= plan.count) assert_true(busy == ranks || busy > plan.count);
        svm_plan_free(&plan);
    }
    svm_pairs_free(&pairs);
}

/* A pair that is most of the work gets ranks of its own, which have nothing else to do. */
static void a_huge_pair_is_shared(void **state) {
    (void)state;
    const ClassCounts counts = {10, {1000, 1000, 10, 10, 10, 10, 10, 10, 10, 10}};
    SvmPairs pairs = svm_pairs_new(10);
    SvmPlan plan = svm_plan(&counts, &pairs, 10, 1);
    assert_int_equal(plan.pair[0], svm_pair_number(10, 0, 1));
    assert_true(plan.fixed == 1 && plan.rank[0] == 0 && plan.ranks[0] == 2 && plan.taker == 2);
    svm_plan_free(&plan);
    plan = svm_plan(&counts, &pairs, 10, 1500);
    assert_true(plan.fixed == 0 && plan.taker == 0);
    svm_plan_free(&plan);
    svm_pairs_free(&pairs);
}

/* Every number stands for its own two classes; classes without samples have no pair. */
static void pairs_of_many_classes(void **state) {
    (void)state;
    for (int classes = CLASSES_MIN; classes <= CLASSES_MAX; classes += 127) {
        int number = 0;
        for (int a = 0; a < classes; a++)
            for (int b = a + 1; b < classes; b++, number++) {
                int first, second;
                svm_pair_classes(classes, number, &first, &second);
                assert_true(first == a && second == b);
                assert_int_equal(svm_pair_number(classes, a, b), number);
            }
        assert_int_equal(svm_pair_count(classes), number);
    }
    ClassCounts counts = {.classes = CLASSES_MAX};
    for (int c = 0; c < CLASSES_MAX; c += 3)
        counts.of[c] = 1 + c % 7;
    SvmPairs pairs = svm_pairs_new(CLASSES_MAX);
    SvmPlan plan = svm_plan(&counts, &pairs, 5, 1);
    assert_int_equal(plan.count, 86 * 85 / 2);
    for (int k = 1; k < plan.count; k++)
        assert_true(svm_pair_cost(&counts, plan.pair[k]) <= svm_pair_cost(&counts, plan.pair[k - 1]));
    svm_plan_free(&plan);
    svm_pairs_free(&pairs);
}

/* Each class can have all its votes, of few classes and of many, and none runs into another's. */
static void votes_of_many_classes(void **state) {
    (void)state;
    const int counts[] = {2, 10, 16, 17, 47, 256};
    for (int i = 0; i < 6; i++) {
        const int classes = counts[i], winner = classes / 2;
        const uint8_t label = (uint8_t)winner;
        SvmVotes votes = svm_votes_new(2, 1, classes, 3);
        for (int c = 0; c < classes; c++)
            for (int v = 0; v < classes - 1 - (c != winner); v++)
                svm_votes_cast(&votes, 1, 2, c);
        assert_int_equal(svm_votes_correct(&votes, 1, (uint8_t[]){0, 0, label}), 3);
        assert_int_equal(svm_votes_correct(&votes, 0, (uint8_t[]){0, 0, label}), winner ? 2 : 3);
        svm_votes_free(&votes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_is_planned_once),
        cmocka_unit_test(a_huge_pair_is_shared),
        cmocka_unit_test(pairs_of_many_classes),
        cmocka_unit_test(votes_of_many_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
