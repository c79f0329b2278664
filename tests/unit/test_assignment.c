/* The members of an ensemble are assigned to groups of ranks. */
#include "ensemble/assignment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { GROUPS = 3 };

static void expect(const MemberWork *member, int members, int ranks, int threads, int groups, const int *size,
                   const int *owner) {
    Assignment assignment = assignment_of_members(member, members, ranks, threads);
    assert_int_equal(assignment.groups, groups);
    for (int g = 0; g < groups; g++)
        assert_int_equal(assignment.size[g], size[g]);
    for (int m = 0; m < members; m++)
        assert_int_equal(assignment.owner[m], owner[m]);
    assignment_free(&assignment);
}

/* Two ranks: the longest first, to the one that is ready first. */
static void test_fewer_ranks(void **state) {
    (void)state;
    const MemberWork member[] = {{3, 4}, {5, 4}, {3, 4}, {4, 4}, {3, 4}};
    expect(member, 5, 2, 1, 2, (int[]){1, 1}, (int[]){1, 0, 0, 1, 1});
    expect(member, 5, 1, 1, 1, (int[]){1}, (int[]){0, 0, 0, 0, 0});
    /* of two cores each the second takes 3, as long as with one core, and the others 2 */
    const MemberWork one_micro_batch[] = {{4, 4}, {3, 1}, {4, 4}};
    expect(one_micro_batch, 3, 2, 2, 2, (int[]){1, 1}, (int[]){1, 0, 1});
}

static void test_finished_members(void **state) {
    (void)state;
    const MemberWork two_left[] = {{0, 4}, {5, 4}, {0, 4}, {1, 4}}, none_left[] = {{0, 4}, {0, 4}};
    expect(two_left, 4, 4, 1, 2, (int[]){3, 1}, (int[]){-1, 0, -1, 1});
    expect(none_left, 2, 3, 1, 1, (int[]){3}, (int[]){-1, -1});
}

/* A step of 4 micro-batches takes as long on 3 ranks as on 2, and 5 ranks are no faster than 4. */
static void test_more_ranks(void **state) {
    (void)state;
    const MemberWork member[] = {{8, 4}, {3, 4}};
    const int sizes[][2] = {{1, 1}, {2, 1}, {3, 1}, {4, 1}, {4, 2}, {4, 3}, {4, 4}, {5, 4}, {5, 5}};
    for (int ranks = 2; ranks <= 10; ranks++)
        expect(member, 2, ranks, 1, 2, sizes[ranks - 2], (int[]){0, 1});
    expect(member, 2, 4, 2, 2, (int[]){2, 2},
           (int[]){0, 1}); /* 2 ranks of 2 cores are busy with 4 micro-batches */
    const MemberWork one_micro_batch[] = {{8, 1}, {3, 4}};
    expect(one_micro_batch, 2, 5, 1, 2, (int[]){1, 4}, (int[]){0, 1});
}

/* When the last of the groups is ready, with a member each. */
static double ready(const MemberWork *member, int groups, const int *size, int threads) {
    double last = 0;
    for (int g = 0; g < groups; g++) {
        int64_t cores = (int64_t)size[g] * threads, micro_batches = 0;
        for (int64_t rest = member[g].micro_batches; rest > 0;
             micro_batches++) /* one after the other, on each core */
            rest -= cores;
        const double time = member[g].work * (double)micro_batches / (double)member[g].micro_batches;
        last = time > last ? time : last;
    }
    return last;
}

/* No sizes of three groups are better than those that are found. */
static void test_sizes_are_the_best(void **state) {
    (void)state;
    srand(1);
    for (int i = 0; i < 500; i++) {
        MemberWork member[GROUPS];
        int size[GROUPS];
        const int ranks = 3 + rand() % 12, threads = 1 + rand() % 3;
        for (int m = 0; m < GROUPS; m++)
            member[m] = (MemberWork){100 - 30 * m + rand() % 10, 1 + rand() % 9};
        Assignment assignment = assignment_of_members(member, GROUPS, ranks, threads);
        for (int m = 0; m < GROUPS; m++)
            size[m] = assignment.size[assignment.owner[m]];
        assert_int_equal(size[0] + size[1] + size[2], ranks);
        const double found = ready(member, GROUPS, size, threads);
        for (size[0] = 1; size[0] <= ranks - 2; size[0]++)
            for (size[1] = 1; size[0] + size[1] <= ranks - 1; size[1]++) {
                size[2] = ranks - size[0] - size[1];
                assert_true(ready(member, GROUPS, size, threads) >= found * (1 - 1e-12));
            }
        assignment_free(&assignment);
    }
}

static void test_groups_of_ranks(void **state) {
    (void)state;
    const Assignment assignment = {3, (int[]){2, 1, 3}, NULL};
    const int group[] = {0, 0, 1, 2, 2, 2};
    for (int rank = 0; rank < 6; rank++)
        assert_int_equal(assignment_group(&assignment, rank), group[rank]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fewer_ranks),     cmocka_unit_test(test_finished_members),
        cmocka_unit_test(test_more_ranks),      cmocka_unit_test(test_sizes_are_the_best),
        cmocka_unit_test(test_groups_of_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
