/* Exact sums: the same bits for any order and any split over ranks and threads; what is refused; the limits.
 */
#include "core/mem.h"
#include "core/rng.h"
#include "parallel/exact_sum.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

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
static ExactSum sum_alone(void) {
    ExactSum sum = exact_sum_new(SUMS);
    float terms[SUMS];
    for (int t = 0; t < TERMS; t++) {
        make_terms(t, terms);
        exact_sum_add(&sum, 0, terms, SUMS);
    }
    return sum;
}

static void assert_same(const ExactSum *a, const ExactSum *b) {
    assert_memory_equal(a->sums, b->sums, (SUMS + 1) * sizeof *a->sums);
}

/* Terms distributed over the ranks by a rule that changes with `salt`, added backwards. */
static void test_any_split_over_ranks(void **state) {
    const Comm *comm = *state;
    ExactSum expected = sum_alone(), sum = exact_sum_new(SUMS);
    float terms[SUMS];
    for (int salt = 0; salt < 5; salt++) {
        exact_sum_clear(&sum);
        for (int t = TERMS - 1; t >= 0; t--) {
            if ((t * (salt + 1) + t / 7 * salt) % comm_size(comm) != comm_rank(comm)) continue;
            make_terms(t, terms);
            exact_sum_add(&sum, 0, terms, SUMS);
        }
        exact_sum_reduce(&sum, comm);
        assert_same(&sum, &expected);
    }
    exact_sum_free(&sum);
    exact_sum_free(&expected);
}

/* The same on bare sums, in pieces, the first term of each written over what was there. */
static void test_pieces(void **state) {
    (void)state;
    ExactSum expected = sum_alone(), sum = exact_sum_new(SUMS);
    float terms[SUMS];
    for (int i = 0; i < SUMS; i++)
        sum.sums[i] = 12345;
    for (int t = 0; t < TERMS; t++) {
        make_terms(t, terms);
        for (int i = 0; i < SUMS; i += 5)
            assert_int_equal(exact_sum_convert(terms + i, i + 5 < SUMS ? 5 : SUMS - i, t > 0, sum.sums + i),
                             0);
    }
    assert_same(&sum, &expected);
    terms[3] = NAN;
    assert_int_equal(exact_sum_convert(terms, SUMS, false, sum.sums), 1);
    exact_sum_free(&sum);
    exact_sum_free(&expected);
}

static void test_values(void **state) {
    (void)state;
    ExactSum sum = exact_sum_new(3);
    const float terms[] = {1.5f, -0x1p-40f, 1000};
    float means[3];
    for (int t = 0; t < 4; t++)
        exact_sum_add(&sum, 0, terms, 3);
    assert_true(exact_sum_get(&sum, 0) == 6);
    assert_true(exact_sum_get(&sum, 1) == -0x1p-38);
    exact_sum_means(&sum, 0, 3, 4, means);
    assert_memory_equal(means, terms, sizeof means);
    exact_sum_free(&sum);
}

/* Few terms at once: the same bits as one by one. */
static void test_few(void **state) {
    (void)state;
    float terms[EXACT_SUM_FEW][SUMS], means[SUMS], expected[SUMS];
    for (int few = 1; few <= EXACT_SUM_FEW; few++) {
        ExactSum sum = exact_sum_new(SUMS);
        for (int t = 0; t < few; t++) {
            make_terms(t + few * 10, terms[t]);
            exact_sum_add(&sum, 0, terms[t], SUMS);
        }
        exact_sum_means(&sum, 0, SUMS, 2.3, expected);
        assert_int_equal(exact_sum_means_of_few(few, terms[0], SUMS, SUMS, 2.3, means), 0);
        assert_memory_equal(means, expected, sizeof means);
        const float bad[] = {NAN, -INFINITY, 1024};
        for (int b = 0; b < 3; b++) {
            terms[few - 1][SUMS - 1 - b] = bad[b];
            assert_int_not_equal(exact_sum_means_of_few(few, terms[0], SUMS, SUMS, 1, means), 0);
            terms[few - 1][SUMS - 1 - b] = 0;
        }
        exact_sum_free(&sum);
    }
}

/* A single bad term on one rank is known to all, and isn't added. */
static void test_refused(void **state) {
    const Comm *comm = *state;
    const float bad[] = {NAN, INFINITY, -INFINITY, 1024, -1024, 1e30f}, good[] = {1023.9999f, -1023.9999f, 0};
    int last = comm_size(comm) - 1;
    for (int i = 0; i < 6; i++) {
        ExactSum sum = exact_sum_new(2);
        exact_sum_add(&sum, 0, good, 1);
        if (comm_rank(comm) == last) exact_sum_add(&sum, 1, &bad[i], 1);
        exact_sum_reduce(&sum, comm);
        assert_int_equal(exact_sum_out_of_range(&sum), 1);
        assert_true(exact_sum_get(&sum, 1) == 0);
        exact_sum_free(&sum);
    }
    ExactSum sum = exact_sum_new(3);
    exact_sum_add(&sum, 0, good, 3);
    exact_sum_reduce(&sum, comm);
    assert_int_equal(exact_sum_out_of_range(&sum), 0);
    exact_sum_free(&sum);
}

/* As many terms as promised, as large as allowed. */
static void test_limits(void **state) {
    (void)state;
    const float largest = nextafterf((float)(1 << EXACT_SUM_LIMIT), 0), terms[] = {largest, -largest};
    ExactSum sum = exact_sum_new(2);
    for (int t = 0; t < EXACT_SUM_MAX_TERMS; t++)
        exact_sum_add(&sum, 0, terms, 2);
    assert_int_equal(exact_sum_out_of_range(&sum), 0);
    assert_true(exact_sum_get(&sum, 0) == (double)largest * EXACT_SUM_MAX_TERMS);
    assert_true(exact_sum_get(&sum, 1) == -(double)largest * EXACT_SUM_MAX_TERMS);
    exact_sum_free(&sum);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_any_split_over_ranks, comm),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_few),
        cmocka_unit_test_prestate(test_refused, comm),
        cmocka_unit_test(test_limits),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
