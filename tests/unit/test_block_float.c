/* Block floating point: rounding, the limit that excludes overflow, clamping, NaN, expectation of stochastic
 * rounding, any order, and how ranges follow the sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "core/rng.h"
#include "parallel/block_float.h"

enum { N = BLOCK_FLOAT_VALUES };

/* Normal, of deviation 2^-scale. */
static void make_terms(int term, int scale, float terms[N]) {
    for (int i = 0; i < N; i += 4)
        rng_normal4((RngKey){7, RNG_TEST}, 0, (uint64_t)term, (uint32_t)i, terms + i);
    for (int i = 0; i < N; i++)
        terms[i] = ldexpf(terms[i], -scale);
}

static void test_limit_excludes_overflow(void **state) {
    (void)state;
    static const int64_t counts[] = {1, 2, 3, 4, 5, 7, 64, 100, 127, 128, 1000, 4095, 4096};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int bits = 16; bits <= 32; bits += 16) {
            const BlockFloat format = block_float_of(bits, counts[c]);
            const int64_t largest = ((int64_t)1 << (bits - 1)) - 1;
            assert_true((int64_t)format.limit * counts[c] <= largest);
            assert_true((int64_t)format.limit >= (int64_t)1 << format.fraction_bits);
            assert_true((int64_t)format.limit < (int64_t)2 << format.fraction_bits);
        }
}

static void test_32_bits_round_to_nearest(void **state) {
    (void)state;
    float terms[N], means[N];
    int32_t sums[N];
    make_terms(1, 5, terms);
    const BlockFloat format = block_float_of(32, 4);
    const BlockFloatMisfits misfits = block_float_add_32(format, 0, terms, N, false, sums);
    block_float_means_32(format, 0, sums, N, 1, means);
    assert_int_equal(misfits.clamped, 0);
    for (int i = 0; i < N; i++)
        assert_true(fabs((double)means[i] - (double)terms[i]) <= ldexp(0.5, -format.fraction_bits) + 1e-9);
}

static void test_sums_in_any_order(void **state) {
    (void)state;
    enum { TERMS = 5 };
    float terms[TERMS][N];
    int32_t up_32[N], down_32[N];
    int16_t up_16[N], down_16[N];
    const BlockFloat f32 = block_float_of(32, TERMS), f16 = block_float_of(16, TERMS);
    for (int t = 0; t < TERMS; t++)
        make_terms(t, 6, terms[t]);
    for (int t = 0; t < TERMS; t++) {
        const int back = TERMS - 1 - t;
        block_float_add_32(f32, -3, terms[t], N, t > 0, up_32);
        block_float_add_32(f32, -3, terms[back], N, t > 0, down_32);
        block_float_add_16(f16, -3, (uint32_t)t, 4096, terms[t], N, t > 0, up_16);
        /* a part of a block is rounded as in the whole */
        block_float_add_16(f16, -3, (uint32_t)back, 4096, terms[back], 100, t > 0, down_16);
        block_float_add_16(f16, -3, (uint32_t)back, 4196, terms[back] + 100, N - 100, t > 0, down_16 + 100);
    }
    assert_memory_equal(up_32, down_32, sizeof up_32);
    assert_memory_equal(up_16, down_16, sizeof up_16);
}

/* The mean of many roundings of one value comes near to it: the deviation of a rounding is at most half a
 * unit. */
static void test_16_bits_are_right_on_average(void **state) {
    (void)state;
    enum { ROUNDINGS = 4000 };
    const BlockFloat format = block_float_of(16, 4);
    const float unit = ldexpf(1, -format.fraction_bits);
    static const float parts[] = {0.01f, 0.25f, 0.5f, 0.9f, -0.3f, -7.6f};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        const float term = parts[p] * unit;
        double total = 0;
        int16_t sum;
        for (uint32_t key = 0; key < ROUNDINGS; key++) {
            block_float_add_16(format, 0, key * 2654435761u, 17, &term, 1, false, &sum);
            assert_true(fabs((double)sum - (double)parts[p]) < 1);
            total += sum;
        }
        assert_true(fabs(total / ROUNDINGS - (double)parts[p]) < 4 * 0.5 / sqrt(ROUNDINGS));
    }
}

static void test_places_are_rounded_independently(void **state) {
    (void)state;
    const BlockFloat format = block_float_of(16, 1);
    float terms[N];
    int16_t one[N], other[N];
    int up = 0, both = 0;
    for (int i = 0; i < N; i++)
        terms[i] = ldexpf(0.5f, -format.fraction_bits);
    block_float_add_16(format, 0, 1, 0, terms, N, false, one);
    block_float_add_16(format, 0, 2, 0, terms, N, false, other);
    for (int i = 0; i < N; i++) {
        up += one[i];
        both += one[i] && other[i];
    }
    assert_in_range(up, N / 2 - 80, N / 2 + 80);   /* five deviations */
    assert_in_range(both, N / 4 - 70, N / 4 + 70); /* keys are independent */
}

static void test_misfits_are_clamped_and_counted(void **state) {
    (void)state;
    const float terms[] = {1e9f, -1e9f, INFINITY, NAN, 0.5f};
    enum { COUNT = sizeof terms / sizeof *terms };
    int32_t sums_32[COUNT];
    int16_t sums_16[COUNT];
    const BlockFloat f32 = block_float_of(32, 2), f16 = block_float_of(16, 2);
    BlockFloatMisfits misfits = block_float_add_32(f32, 0, terms, COUNT, false, sums_32);
    assert_int_equal(misfits.clamped, 3);
    assert_int_equal(misfits.not_number, 1);
    misfits = block_float_add_16(f16, 0, 5, 0, terms, COUNT, false, sums_16);
    assert_int_equal(misfits.clamped, 3);
    assert_int_equal(misfits.not_number, 1);
    assert_int_equal(sums_16[0], 16383);
    assert_int_equal(sums_16[1], -16383);
    assert_int_equal(sums_16[2], 16383);
    assert_int_equal(sums_16[3], 0);
    assert_true(sums_32[0] > 0 && sums_32[1] == -sums_32[0] && sums_32[3] == 0);
    assert_int_equal(sums_32[4], 1 << (f32.fraction_bits - 1));
}

/* A gradient that becomes a thousand times as large, and then small again. */
static void test_range_follows_the_sums(void **state) {
    (void)state;
    const BlockFloat format = block_float_of(16, 1);
    float terms[N], means[N];
    int16_t sums[N];
    int range = BLOCK_FLOAT_FIRST_RANGE, clamped_steps = 0;
    for (int step = 0; step < 90; step++) {
        const bool spike = step >= 30 && step < 40;
        make_terms(step, spike ? 0 : 10, terms);
        const BlockFloatMisfits misfits =
            block_float_add_16(format, range, (uint32_t)step, 0, terms, N, false, sums);
        const int32_t largest = block_float_means_16(format, range, sums, N, 1, means);
        clamped_steps += misfits.clamped > 0;
        range = block_float_next_range(format, range, largest, misfits.clamped > 0);
    }
    assert_in_range(clamped_steps, 1, 6);
    assert_in_range(range + 30, 30 - 9, 30 - 7); /* 3.3 deviations of 2^-10 are below 2^-8 */
    for (int step = 0; step < 100; step++)
        range = block_float_next_range(format, range, 0, false);
    assert_int_equal(range, BLOCK_FLOAT_LEAST_RANGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_excludes_overflow),
        cmocka_unit_test(test_32_bits_round_to_nearest),
        cmocka_unit_test(test_sums_in_any_order),
        cmocka_unit_test(test_16_bits_are_right_on_average),
        cmocka_unit_test(test_places_are_rounded_independently),
        cmocka_unit_test(test_misfits_are_clamped_and_counted),
        cmocka_unit_test(test_range_follows_the_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
