/* Random numbers: published answers, distributions, permutations. */
#include "core/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCKS = 250000, N = 1000 };

/* Random123's kat_vectors, philox4x32 with 10 rounds: counter, key, answer. */
static void test_known_answers(void **state) {
    (void)state;
    static const uint32_t vectors[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
         0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
         0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        const uint32_t *v = vectors[i];
        uint32_t out[4];
        rng_u32x4((RngKey){v[4], (RngPurpose)v[5]}, v[0], (uint64_t)v[2] << 32 | v[1], v[3], out);
        assert_memory_equal(out, v + 6, sizeof out);
    }
}

static void test_fill_equals_single_draws(void **state) {
    (void)state;
    const RngKey key = {12345, RNG_TEST};
    static uint32_t filled[100][4];
    for (int64_t n = 0; n < 100; n++) {
        uint32_t single[4];
        rng_fill(key, 3, 0x123456789abull, 0xfffffff0, n, filled); /* draws that wrap around */
        for (int64_t i = 0; i < n; i++) {
            rng_u32x4(key, 3, 0x123456789abull, 0xfffffff0 + (uint32_t)i, single);
            assert_memory_equal(filled[i], single, sizeof single);
        }
    }
}

static void test_uniform(void **state) {
    (void)state;
    double sum = 0, squares = 0, neighbours = 0;
    int64_t bins[64] = {0};
    for (uint64_t sample = 0; sample < BLOCKS; sample++) {
        float u[4];
        rng_uniform4((RngKey){7, RNG_TEST}, 1, sample, 0, u);
        for (int i = 0; i < 4; i++) {
            assert_true(u[i] >= 0 && u[i] < 1);
            sum += u[i];
            squares += (double)u[i] * u[i];
            neighbours += (u[i] - 0.5) * (u[(i + 1) % 4] - 0.5);
            bins[(int)(u[i] * 64)]++;
        }
    }
    const double n = 4.0 * BLOCKS, expected = n / 64;
    double chi_squared = 0;
    for (int b = 0; b < 64; b++)
        chi_squared += ((double)bins[b] - expected) * ((double)bins[b] - expected) / expected;
    /* bounds of 5 standard deviations */
    assert_true(fabs(sum / n - 0.5) < 5 * 0.2887 / sqrt(n));
    assert_true(fabs(squares / n - 1.0 / 3) < 5 * 0.2981 / sqrt(n));
    assert_true(fabs(neighbours / n) < 5 / 12.0 / sqrt(n));
    assert_true(fabs(chi_squared - 63) < 5 * sqrt(2 * 63));
}

static void test_normal(void **state) {
    (void)state;
    double powers[5] = {0}, products = 0, farthest = 0;
    for (uint64_t sample = 0; sample < BLOCKS; sample++) {
        float z[4];
        rng_normal4((RngKey){8, RNG_TEST}, 1, sample, 0, z);
        for (int i = 0; i < 4; i++) {
            for (int p = 1; p <= 4; p++)
                powers[p] += pow(z[i], p);
            farthest = fmax(farthest, fabs((double)z[i]));
        }
        products += (double)z[0] * z[1];
    }
    const double n = 4.0 * BLOCKS;
    assert_true(fabs(powers[1] / n) < 5 / sqrt(n));
    assert_true(fabs(powers[2] / n - 1) < 5 * sqrt(2 / n));
    assert_true(fabs(powers[3] / n) < 5 * sqrt(15 / n));
    assert_true(fabs(powers[4] / n - 3) < 5 * sqrt(96 / n));
    assert_true(fabs(products / BLOCKS) < 5 / sqrt(BLOCKS));
    assert_true(farthest > 4 && farthest < 7);
}

static void test_streams_differ(void **state) {
    (void)state;
    uint32_t first[4], other[4];
    rng_u32x4((RngKey){1, RNG_INIT}, 1, 1, 1, first);
    const struct {
        RngKey key;
        uint32_t epoch;
        uint64_t sample;
        uint32_t draw;
    } others[] = {{{2, RNG_INIT}, 1, 1, 1},
                  {{1, RNG_DROPOUT}, 1, 1, 1},
                  {{1, RNG_INIT}, 2, 1, 1},
                  {{1, RNG_INIT}, 1, 2, 1},
                  {{1, RNG_INIT}, 1, 1 + (1ull << 32), 1},
                  {{1, RNG_INIT}, 1, 1, 2}};
    for (int i = 0; i < 6; i++) {
        rng_u32x4(others[i].key, others[i].epoch, others[i].sample, others[i].draw, other);
        assert_memory_not_equal(first, other, sizeof first);
    }
}

static void test_permutation(void **state) {
    (void)state;
    uint32_t order[N], again[N];
    for (uint32_t n = 0; n <= N; n += n < 20 ? 1 : 98) {
        uint8_t seen[N] = {0};
        rng_permutation(3, 4, order, n);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(order[i] < n);
            assert_int_equal(seen[order[i]]++, 0);
        }
    }
    rng_permutation(3, 4, order, N);
    rng_permutation(3, 4, again, N);
    assert_memory_equal(order, again, sizeof order);
    rng_permutation(3, 5, again, N);
    assert_memory_not_equal(order, again, sizeof order);
    rng_permutation(4, 4, again, N);
    assert_memory_not_equal(order, again, sizeof order);
}

/* Each of the 24 orders of 4 items comes up equally often. */
static void test_permutation_is_uniform(void **state) {
    (void)state;
    enum { EPOCHS = 48000 };
    int counts[256] = {0};
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        uint32_t o[4];
        rng_permutation(1, epoch, o, 4);
        counts[o[0] << 6 | o[1] << 4 | o[2] << 2 | o[3]]++;
    }
    int orders = 0;
    for (int i = 0; i < 256; i++)
        if (counts[i]) {
            orders++;
            assert_true(abs(counts[i] - EPOCHS / 24) < 5 * sqrt(EPOCHS / 24));
        }
    assert_int_equal(orders, 24);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_fill_equals_single_draws),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_streams_differ),
        cmocka_unit_test(test_permutation),
        cmocka_unit_test(test_permutation_is_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
