#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/exp32.h"

static void test_error_is_at_most_two_ulp(void **state) {
    (void)state;
    enum { N = 1 << 20 };
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    assert_non_null(x);
    assert_non_null(y);
    for (int i = 0; i < N; i++)
        x[i] = -87.33654f + (88.7228f + 87.33654f) * (float)i / N;
    for (int i = 0; i < N / 4; i++)
        x[i] = (float)(i - N / 8) / N; /* many small ones */
    exp32(x, y, N);
    double worst = 0;
    for (int i = 0; i < N; i++) {
        const double exact = exp((double)x[i]);
        const double ulp = (double)nextafterf((float)exact, INFINITY) - (double)(float)exact;
        if (isfinite(ulp))
            worst = fmax(worst, fabs((double)y[i] - exact) / ulp);
        else
            assert_true(y[i] > 0.99f * FLT_MAX);
    }
    print_message("worst error: %.3f ulp\n", worst);
    assert_true(worst <= 2.0);
    free(x);
    free(y);
}

static void test_special_values(void **state) {
    (void)state;
    const float x[] = {0.0f, -0.0f, -87.4f, -1000.0f, -FLT_MAX, -INFINITY, 88.73f, FLT_MAX, INFINITY, NAN};
    float y[10];
    exp32(x, y, 10);
    assert_true(y[0] == 1.0f && y[1] == 1.0f);
    for (int i = 2; i < 6; i++)
        assert_true(y[i] == 0.0f);
    for (int i = 6; i < 9; i++)
        assert_true(y[i] == INFINITY);
    assert_true(isnan(y[9]));
}

static void test_monotone_around_the_limits(void **state) {
    (void)state;
    const float starts[] = {-87.34f, 88.70f, -0.35f, 0.345f};
    for (int s = 0; s < 4; s++) {
        float x[8000], y[8000];
        x[0] = starts[s];
        for (int i = 1; i < 8000; i++)
            x[i] = nextafterf(x[i - 1], INFINITY);
        exp32(x, y, 8000);
        for (int i = 1; i < 8000; i++) {
            const double ulp = (double)nextafterf(y[i - 1], INFINITY) - (double)y[i - 1];
            assert_true(y[i] >= y[i - 1] || (double)y[i - 1] - (double)y[i] <= ulp);
            assert_true(y[i] == 0.0f || y[i] >= FLT_MIN);
        }
    }
}

static void test_same_bits_at_any_place(void **state) {
    (void)state;
    enum { N = 67 };
    float x[N], y[N], one, in_place[N];
    for (int i = 0; i < N; i++)
        x[i] = in_place[i] = -30.0f + 0.917f * (float)i;
    exp32(x, y, N);
    for (int i = 0; i < N; i++) {
        exp32(x + i, &one, 1);
        assert_memory_equal(&one, y + i, sizeof one);
    }
    for (int n = 1; n < N; n++) {
        float part[N];
        exp32(x + N - n, part, n);
        assert_memory_equal(part, y + N - n, (size_t)n * sizeof *part);
    }
    exp32(in_place, in_place, N);
    assert_memory_equal(in_place, y, sizeof y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_is_at_most_two_ulp),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_monotone_around_the_limits),
        cmocka_unit_test(test_same_bits_at_any_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
