/* Shares that follow speed. */
#include "core/shares.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { WORKERS = 4 };

typedef struct {
    ShareCost costs[WORKERS];
    int64_t before[WORKERS], after[WORKERS];
} Case;

static void test_shares_follow_speed(void **state) {
    (void)state;
    static const Case cases[] = {
        /* one of four at half speed, and the same as speeds of all */
        {{{0, 1}, {0, 2}, {0, 1}, {0, 1}}, {4, 4, 4, 4}, {5, 2, 5, 4}},
        {{{0, 1}, {0, 1}, {0, 1}, {0, 2}}, {16, 16, 16, 16}, {19, 18, 18, 9}},
        /* what a step costs besides its items counts */
        {{{1, 1}, {1, 1}, {1, 1}, {7, 1}}, {4, 4, 4, 4}, {6, 5, 5, 0}},
        /* back to even ones */
        {{{0, 1}, {0, 1}, {0, 1}, {0, 1}}, {5, 5, 4, 2}, {4, 4, 4, 4}},
        /* a worker without items hasn't been measured */
        {{{0, 2}, {0, 2}, {0, 1}, {0, 0}}, {2, 2, 2, 0}, {1, 1, 3, 1}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int64_t shares[WORKERS];
        memcpy(shares, cases[c].before, sizeof shares);
        assert_true(shares_adapt(cases[c].costs, WORKERS, shares));
        for (int w = 0; w < WORKERS; w++)
            assert_int_equal(shares[w], cases[c].after[w]);
    }
}

static void test_shares_stay(void **state) {
    (void)state;
    static const Case cases[] = {
        {{{0, 1}, {0, 1.08}, {0, 1}, {0, 1}}, {100, 100, 100, 100}, {0}}, /* noise */
        {{{0, 1}, {0, 2}, {0, 1}, {0, 1}}, {1, 1, 1, 1}, {0}},            /* too few items to move one */
        {{{0, 0}, {0, 0}, {0, 0}, {0, 0}}, {4, 4, 4, 4}, {0}},            /* nothing measured */
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int64_t shares[WORKERS];
        memcpy(shares, cases[c].before, sizeof shares);
        assert_false(shares_adapt(cases[c].costs, WORKERS, shares));
        assert_memory_equal(shares, cases[c].before, sizeof shares);
    }
}

static void test_cuts_follow_speed(void **state) {
    (void)state;
    static const struct {
        double speeds[WORKERS];
        int64_t fixed;
        int64_t cuts[WORKERS + 1];
    } cases[] = {
        {{2, 2, 1, 2}, 0, {0, 20, 40, 50, 70}},  {{2, 2, 1, 1}, 10, {0, 26, 53, 61, 70}},
        {{8, 8, 1, 1}, 20, {0, 35, 70, 70, 70}}, /* too slow for the fixed work */
        {{1, 1, 1, 1}, 0, {0, 18, 36, 53, 70}},  {{1, 1, 0.95, 1}, 9, {0, 18, 36, 53, 70}}, /* noise */
        {{0, 0, 0, 0}, 5, {0, 18, 36, 53, 70}},                                             /* not measured */
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int64_t cuts[WORKERS + 1];
        shares_cut(cases[c].speeds, WORKERS, 70, cases[c].fixed, cuts);
        assert_memory_equal(cuts, cases[c].cuts, sizeof cuts);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_follow_speed),
        cmocka_unit_test(test_shares_stay),
        cmocka_unit_test(test_cuts_follow_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
