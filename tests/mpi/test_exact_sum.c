/* Exact sums: the same bits for any order and any split over ranks and threads; what is refused; the limits.
 */
#include "core/rng.h"
#include "parallel/comm.h"
#include "parallel/exact_sum.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SUMS = 37, TERMS = 200 };

/* Term t of all sums: magnitudes from 2^-30 to 2^9, of both signs. */
static void make_terms(int t, float terms[SUMS]) {
    for (int i = 0; i < SUMS; i++) {
        float u[4];
        rng_uniform4((RngKey){1, RNG_TEST}, 0, (uint64_t)t, (uint32_t)i, u);
        terms[i] = ldexpf(2 * u[0] - 1, (int)(40 * u[1]) - 30);
    }
}

/* All terms on this rank alone, in order. */
static void sum_alone(uint64_t sums[SUMS]) {
    float terms[SUMS];
    for (int t = 0; t < TERMS; t++) {
        make_terms(t, terms);
        assert_int_equal(exact_sum_convert(terms, SUMS, t > 0, sums), 0);
    }
}

/* Terms distributed over the ranks by a rule that changes with `salt`, added backwards. */
static void test_any_split_over_ranks(void **state) {
    const Comm *comm = *state;
    uint64_t expected[SUMS];
    float terms[SUMS];
    sum_alone(expected);
    for (int salt = 0; salt < 5; salt++) {
        uint64_t sums[SUMS] = {0};
        for (int t = TERMS - 1; t >= 0; t--) {
            if ((t * (salt + 1) + t / 7 * salt) % comm_size(comm) != comm_rank(comm)) continue;
            make_terms(t, terms);
            exact_sum_convert(terms, SUMS, true, sums);
        }
        comm_sum_u64(comm, sums, SUMS);
        assert_memory_equal(sums, expected, sizeof sums);
    }
}

/* The same in pieces, the first term of each written over what was there. */
static void test_pieces(void **state) {
    (void)state;
    uint64_t expected[SUMS], sums[SUMS];
    float terms[SUMS];
    sum_alone(expected);
    for (int i = 0; i < SUMS; i++)
        sums[i] = 12345;
    for (int t = 0; t < TERMS; t++) {
        make_terms(t, terms);
        for (int i = 0; i < SUMS; i += 5)
            assert_int_equal(exact_sum_convert(terms + i, i + 5 < SUMS ? 5 : SUMS - i, t > 0, sums + i), 0);
    }
    assert_memory_equal(sums, expected, sizeof sums);
    terms[3] = NAN;
    assert_int_equal(exact_sum_convert(terms, SUMS, false, sums), 1);
}

static void test_values(void **state) {
    (void)state;
    const float terms[] = {1.5f, -0x1p-40f, 1000};
    uint64_t sums[3] = {0};
    float means[3];
    for (int t = 0; t < 4; t++)
        exact_sum_convert(terms, 3, true, sums);
    assert_true(exact_sum_value(sums[0]) == 6);
    assert_true(exact_sum_value(sums[1]) == -0x1p-38);
    exact_sum_means(sums, 3, 4, means);
    assert_memory_equal(means, terms, sizeof means);
}

/* Few terms at once: the same bits as one by one. */
static void test_few(void **state) {
    (void)state;
    float terms[EXACT_SUM_FEW][SUMS], means[SUMS], expected[SUMS];
    for (int few = 1; few <= EXACT_SUM_FEW; few++) {
        uint64_t sums[SUMS] = {0};
        for (int t = 0; t < few; t++) {
            make_terms(t + few * 10, terms[t]);
            exact_sum_convert(terms[t], SUMS, true, sums);
        }
        exact_sum_means(sums, SUMS, 2.3, expected);
        assert_int_equal(exact_sum_means_of_few(few, terms[0], SUMS, SUMS, 2.3, means), 0);
        assert_memory_equal(means, expected, sizeof means);
        const float bad[] = {NAN, -INFINITY, 1024};
        for (int b = 0; b < 3; b++) {
            terms[few - 1][SUMS - 1 - b] = bad[b];
            assert_int_not_equal(exact_sum_means_of_few(few, terms[0], SUMS, SUMS, 1, means), 0);
            terms[few - 1][SUMS - 1 - b] = 0;
        }
    }
}

/* A bad term is counted, and isn't added. */
static void test_refused(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY, 1024, -1024, 1e30f}, good[] = {1023.9999f, -1023.9999f, 0};
    for (int i = 0; i < 6; i++) {
        const float terms[] = {good[0], bad[i]};
        uint64_t sums[2] = {0};
        assert_int_equal(exact_sum_convert(terms, 2, true, sums), 1);
        assert_true(exact_sum_value(sums[0]) > 1023);
        assert_true(exact_sum_value(sums[1]) == 0);
    }
    uint64_t sums[3] = {0};
    assert_int_equal(exact_sum_convert(good, 3, true, sums), 0);
}

/* As many terms as promised, as large as allowed. */
static void test_limits(void **state) {
    (void)state;
    const float largest = nextafterf((float)(1 << EXACT_SUM_LIMIT), 0), terms[] = {largest, -largest};
    uint64_t sums[2] = {0};
    for (int t = 0; t < EXACT_SUM_MAX_TERMS; t++)
        assert_int_equal(exact_sum_convert(terms, 2, true, sums), 0);
    assert_true(exact_sum_value(sums[0]) == (double)largest * EXACT_SUM_MAX_TERMS);
    assert_true(exact_sum_value(sums[1]) == -(double)largest * EXACT_SUM_MAX_TERMS);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_any_split_over_ranks, comm),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
