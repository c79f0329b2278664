/* Learning-rate schedules, the update of SGD and moving averages. */
#include "cnn/optimizer.h"

#include "core/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double got, double expected) {
    if (fabs(got - expected) > 1e-6 * fmax(1e-3, fabs(expected))) fail_msg("%.9g, not %.9g", got, expected);
}

static void test_constant(void **state) {
    (void)state;
    Schedule s = {SCHEDULE_CONSTANT, 0.1, 50, 100};
    assert_near(schedule_lr(&s, 0), 0.1);
    assert_near(schedule_lr(&s, 99), 0.1);
}

static void test_onecycle(void **state) {
    (void)state;
    Schedule s = {SCHEDULE_ONECYCLE, 0.5, 25, 100};
    assert_near(schedule_lr(&s, 0), 0.5 / 25);
    assert_near(schedule_lr(&s, 25), 0.5);
    for (int step = 0; step < 99; step++)
        assert_true(step < 25 ? schedule_lr(&s, step) < schedule_lr(&s, step + 1)
                              : schedule_lr(&s, step) > schedule_lr(&s, step + 1));
    double part = (99.0 - 25) / 75;
    assert_near(schedule_lr(&s, 99), 0.5 * (4e-6 + (1 - 4e-6) * (1 + cos(M_PI * part)) / 2));
}

static void test_cosine(void **state) {
    (void)state;
    Schedule s = {SCHEDULE_COSINE, 0.2, 10, 110};
    assert_near(schedule_lr(&s, 0), 0.02);
    assert_near(schedule_lr(&s, 4), 0.1);
    assert_near(schedule_lr(&s, 10), 0.2);
    assert_near(schedule_lr(&s, 60), 0.1);
    assert_true(schedule_lr(&s, 109) > 0 && schedule_lr(&s, 109) < 0.001);
}

/* No warm-up, only warm-up, and a single step are legal. */
static void test_ends_of_warmup(void **state) {
    (void)state;
    for (int kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_COSINE; kind++)
        for (int total = 1; total < 5; total++)
            for (int warmup = 0; warmup <= 4; warmup++)
                for (int step = 0; step < total; step++) {
                    Schedule s = {(ScheduleKind)kind, 1, warmup / 4.0 * total, total};
                    double lr = schedule_lr(&s, step);
                    assert_true(lr > 0 && lr <= 1);
                }
}

/* A network with 16 + 16 x 10 values: weights, then biases. */
enum { FLOATS = 64 };

static Network *small_network(void) {
    Network *net = mem_new(1, sizeof *net);
    *net = (Network){.array_count = 2, .param_floats = FLOATS};
    net->arrays[0] = (ParamArray){.first = 0, .count = 35, .decays = true};
    net->arrays[1] = (ParamArray){.first = 48, .count = 10};
    return net;
}

static void fill(float *values, double phase) {
    for (int i = 0; i < FLOATS; i++)
        values[i] = (float)sin(i + phase);
}

/* |values[first..first+n)| */
static double norm(const double *values, int first, int n) {
    double sum = 0;
    for (int i = first; i < first + n; i++)
        sum += values[i] * values[i];
    return sqrt(sum);
}

static void check_update(bool nesterov, bool lars) {
    Network *net = small_network();
    Sgd sgd = {0.9f, 0.01f, nesterov, lars ? 0.02f : 0};
    float gradient[FLOATS], params[FLOATS], velocity[FLOATS];
    double w[FLOATS], v[FLOATS], gradient64[FLOATS];
    fill(params, 0);
    fill(velocity, 1);
    for (int i = 0; i < FLOATS; i++) {
        w[i] = params[i];
        v[i] = velocity[i];
    }
    for (int step = 0; step < 3; step++) {
        fill(gradient, 2 + step);
        float rates[2];
        for (int a = 0; a < 2; a++)
            rates[a] = lars_rate(&sgd, &net->arrays[a], gradient, params);
        sgd_step(net, &sgd, 0.1, lars ? rates : NULL, (Range){0, FLOATS}, gradient, params, velocity);
        for (int i = 0; i < FLOATS; i++)
            gradient64[i] = gradient[i];
        double size = norm(w, 0, 35), rate = 0.02 * size / (norm(gradient64, 0, 35) + 0.01 * size);
        for (int i = 0; i < FLOATS; i++) {
            if ((i >= 35 && i < 48) || i >= 58) continue; /* between the arrays */
            double g = gradient[i] + (i < 35 ? 0.01 * w[i] : 0);
            if (lars && i < 35) g *= rate;
            v[i] = 0.9 * v[i] + g;
            w[i] -= 0.1 * (nesterov ? g + 0.9 * v[i] : v[i]);
        }
    }
    for (int i = 0; i < FLOATS; i++) {
        assert_true(fabs((double)params[i] - w[i]) < 1e-6);
        assert_true(fabs((double)velocity[i] - v[i]) < 1e-6);
    }
    mem_free(net);
}

static void test_momentum(void **state) {
    (void)state;
    check_update(false, false);
}

static void test_nesterov(void **state) {
    (void)state;
    check_update(true, false);
}

static void test_layer_wise_rates(void **state) {
    (void)state;
    check_update(true, true);
    check_update(false, true);
    Network *net = small_network();
    Sgd sgd = {0.9f, 0.01f, false, 0.5f};
    float zeros[FLOATS] = {0}, ones[FLOATS];
    fill(ones, 0);
    assert_true(lars_rate(&sgd, &net->arrays[0], zeros, ones) == 1);
    assert_true(lars_rate(&sgd, &net->arrays[0], ones, zeros) == 1);
    assert_true(lars_rate(&sgd, &net->arrays[1], ones, ones) == 1); /* doesn't decay */
    mem_free(net);
}

/* The same bits however the parameters are cut over threads. */
static void test_parts_equal_whole(void **state) {
    (void)state;
    Network *net = small_network();
    Sgd sgd = {0.9f, 0.01f, true, 0};
    float gradient[FLOATS], whole[2][FLOATS], parts[2][FLOATS];
    fill(gradient, 3);
    for (int copy = 0; copy < 2; copy++) {
        fill(whole[copy], copy);
        fill(parts[copy], copy);
    }
    sgd_step(net, &sgd, 0.1, NULL, (Range){0, FLOATS}, gradient, whole[0], whole[1]);
    for (int part = 0; part < 4; part++)
        sgd_step(net, &sgd, 0.1, NULL, (Range){part * 16, part * 16 + 16}, gradient + part * 16, parts[0],
                 parts[1]);
    assert_memory_equal(whole, parts, sizeof whole);
    mem_free(net);
}

/* The average equals the weighted mean of all values so far, written out. */
static void test_moving_average(void **state) {
    (void)state;
    enum { N = 48, STEPS = 60 };
    const double decay = 0.9;
    float values[N], average[N] = {0};
    double weighted[N] = {0}, weights = 0;
    assert_true(ema_share(decay, 1) == 1);
    for (int step = 1; step <= STEPS; step++) {
        weights = decay * weights + 1;
        for (int i = 0; i < N; i++) {
            values[i] = cosf((float)(i * step)) + (float)i;
            weighted[i] = decay * weighted[i] + (double)values[i];
        }
        double share = ema_share(decay, step);
        ema_step(share, (Range){0, 16}, values, average);
        ema_step(share, (Range){16, N}, values, average);
        for (int i = 0; i < N; i++)
            assert_near((double)average[i], weighted[i] / weights);
        if (step == 1) assert_memory_equal(average, values, sizeof values);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),         cmocka_unit_test(test_onecycle),
        cmocka_unit_test(test_cosine),           cmocka_unit_test(test_ends_of_warmup),
        cmocka_unit_test(test_momentum),         cmocka_unit_test(test_nesterov),
        cmocka_unit_test(test_layer_wise_rates), cmocka_unit_test(test_parts_equal_whole),
        cmocka_unit_test(test_moving_average),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
