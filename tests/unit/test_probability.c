/* Probabilities from decision values: known answers, and optimality of the fit. */
#include "core/mem.h"
#include "core/rng.h"

#include "svm/probability.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 4000 };

/* Labels drawn with the probabilities of a known sigmoid. */
static void draw(double slope, double offset, double *decision, int8_t *y) {
    for (int i = 0; i < N; i++) {
        float u[4];
        rng_uniform4((RngKey){1, RNG_TEST}, 0, (uint64_t)i, 0, u);
        decision[i] = 6 * (double)u[0] - 3;
        y[i] = (double)u[1] < 1 / (1 + exp(slope * decision[i] + offset)) ? 1 : -1;
    }
}

static void a_known_sigmoid_is_found_again(void **state) {
    (void)state;
    const double known[][2] = {{-2, 0.5}, {-0.7, -1}, {-4, 0}};
    double *decision = mem_new(N, sizeof *decision);
    int8_t *y = mem_new(N, 1);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        double slope, offset, gradient[2] = {0};
        draw(known[k][0], known[k][1], decision, y);
        svm_fit_sigmoid(decision, y, N, &slope, &offset);
        assert_true(fabs(slope - known[k][0]) < 0.1 * fabs(known[k][0]));
        assert_true(fabs(offset - known[k][1]) < 0.25);
        double positive = 0;
        for (int i = 0; i < N; i++)
            positive += y[i] > 0;
        for (int i = 0; i < N; i++) {
            double target = y[i] > 0 ? (positive + 1) / (positive + 2) : 1 / (N - positive + 2);
            double error = target - 1 / (1 + exp(slope * decision[i] + offset));
            gradient[0] += error * decision[i];
            gradient[1] += error;
        }
        assert_true(fabs(gradient[0]) < 1e-4 && fabs(gradient[1]) < 1e-4);
    }
    mem_free(y);
    mem_free(decision);
}

static void one_sided_labels_give_finite_sigmoids(void **state) {
    (void)state;
    const double decision[] = {1, 2, 3};
    const int8_t same[] = {1, 1, 1}, split[] = {-1, 1, 1};
    double slope, offset;
    svm_fit_sigmoid(decision, same, 3, &slope, &offset);
    assert_true(isfinite(slope) && isfinite(offset));
    assert_true(svm_sigmoid(2, slope, offset) > 0.5);
    svm_fit_sigmoid(decision, split, 3, &slope, &offset);
    assert_true(isfinite(slope) && slope < 0);
    assert_true(svm_sigmoid(-1e9, slope, offset) == 0 && svm_sigmoid(1e9, slope, offset) == 1);
}

/* Pairs that agree with some probabilities p: between[i * k + j] = p_i / (p_i + p_j). */
static void coupling_gives_back_what_pairs_agree_on(void **state) {
    (void)state;
    enum { MOST = 10 };
    const double known[MOST] = {0.3, 0.02, 0.05, 0.1, 0.2, 0.01, 0.12, 0.05, 0.05, 0.1};
    for (int k = 2; k <= MOST; k++) {
        double between[MOST * MOST], work[MOST * MOST + MOST], probability[MOST], sum = 0, total = 0;
        for (int i = 0; i < k; i++)
            for (int j = 0; j < k; j++)
                between[i * k + j] = known[i] / (known[i] + known[j]);
        assert_true(svm_couple_work(k) <= MOST * MOST + MOST);
        svm_couple(k, between, work, probability);
        for (int i = 0; i < k; i++)
            sum += known[i];
        for (int i = 0; i < k; i++) {
            assert_true(fabs(probability[i] - known[i] / sum) < (k == 2 ? 1e-15 : 0.01));
            total += probability[i];
        }
        assert_true(fabs(total - 1) < 1e-9);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_sigmoid_is_found_again),
        cmocka_unit_test(one_sided_labels_give_finite_sigmoids),
        cmocka_unit_test(coupling_gives_back_what_pairs_agree_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
