#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "ref/ref_layers.h"
#include "ref/ref_numbers.h"

static void *zeros(int64_t n, size_t size) {
    return mem_new((size_t)n, size);
}

static void free_all(void *const *arrays, int count) {
    for (int i = 0; i < count; i++)
        mem_free(arrays[i]);
}

static void take_moments(const Norm *norm, int64_t before, int64_t rows, const float *in) {
    float *sums = zeros(norm_block_floats(norm->channels, rows), sizeof *sums);
    norm_find_moments(norm, rows, in, sums);
    norm_add_moments(norm, before, rows, sums);
    mem_free(sums);
}

static void take_gradients(const Norm *norm, int64_t before, int64_t rows, const float *in,
                           const float *relu_out, float *gradient) {
    float *sums = zeros(norm_block_floats(norm->channels, rows), sizeof *sums);
    norm_find_gradients(norm, rows, in, relu_out, gradient, sums);
    norm_add_gradients(norm, before, rows, sums);
    mem_free(sums);
}

static void check_norm(int64_t rows, int channels, float centre, uint64_t *state) {
    const int64_t n = rows * channels, begin[] = {0, rows / 3 + 1, rows};
    float *in = ref_random_array(n, state), *out_grad = ref_random_array(n, state);
    float *scale = ref_random_array(channels, state), *shift = ref_random_array(channels, state);
    for (int64_t i = 0; i < n; i++)
        in[i] = in[i] * (float)(1 + i % channels) + centre;
    float *out = ref_nan_array(n), *in_grad = ref_nan_array(n), *kept[5];
    for (int i = 0; i < 5; i++)
        kept[i] = ref_nan_array(channels);
    double *in64 = ref_doubles(in, n), *out_grad64 = ref_doubles(out_grad, n), *out64 = zeros(n, 8);
    double *scale64 = ref_doubles(scale, channels), *shift64 = ref_doubles(shift, channels), *kept64[4];
    for (int i = 0; i < 4; i++)
        kept64[i] = zeros(channels, 8);
    double *in_grad64 = zeros(n, 8);

    const Norm norm = {channels, scale, shift, kept[0], kept[1], kept[2], kept[3], kept[4]};
    for (int p = 0; p < 2; p++) /* in two parts */
        take_moments(&norm, begin[p], begin[p + 1] - begin[p], in + begin[p] * channels);
    norm_finish_moments(&norm, rows, 1e-3f);
    norm_forward(&norm, rows, in, false, out);
    memcpy(in_grad, out_grad, (size_t)n * sizeof *in_grad);
    for (int p = 0; p < 2; p++)
        take_gradients(&norm, begin[p], begin[p + 1] - begin[p], in + begin[p] * channels, NULL,
                       in_grad + begin[p] * channels);
    norm_finish_gradients(&norm);
    norm_backward(&norm, rows, rows, in, in_grad);
    ref_norm_forward(rows, channels, in64, scale64, shift64, (double)1e-3f, out64, kept64[0], kept64[1]);
    ref_norm_backward(rows, channels, in64, out_grad64, scale64, (double)1e-3f, in_grad64, kept64[2],
                      kept64[3]);

    const double tolerance = 4e-6 * (1 + fabs((double)centre));
    assert_true(ref_difference(out, out64, n) < tolerance);
    assert_true(ref_difference(kept[0], kept64[0], channels) < 1e-6);
    assert_true(ref_difference(kept[1], kept64[1], channels) < tolerance);
    assert_true(ref_difference(in_grad, in_grad64, n) < tolerance);
    assert_true(ref_difference(kept[3], kept64[2], channels) < tolerance);
    assert_true(ref_difference(kept[4], kept64[3], channels) < tolerance);

    void *const arrays[] = {in,      out_grad, scale,     shift,     out,       in_grad,    kept[0],
                            kept[1], kept[2],  kept[3],   kept[4],   in64,      out_grad64, out64,
                            scale64, shift64,  in_grad64, kept64[0], kept64[1], kept64[2],  kept64[3]};
    free_all(arrays, 21);
}

static void test_norm_equals_reference(void **unused) {
    (void)unused;
    static const int channels[] = {1, 3, 7, 8, 9, 20, 32, 50};
    static const int64_t rows[] = {4, 5, 64, 65, 127, 784};
    uint64_t state = 1;
    for (int c = 0; c < 8; c++)
        for (int r = 0; r < 6; r++)
            check_norm(rows[r], channels[c], 0, &state);
    check_norm(20000, 20, 10, &state); /* a mean far from zero */
}

/* The relu that follows batch norm, done in the same passes. */
static void test_norm_with_relu(void **unused) {
    (void)unused;
    enum { ROWS = 70, CHANNELS = 19, N = ROWS * CHANNELS };
    uint64_t state = 4;
    float *in = ref_random_array(N, &state), *out_grad = ref_random_array(N, &state);
    float *scale = ref_random_array(CHANNELS, &state), *shift = ref_random_array(CHANNELS, &state);
    float out[2][N], gradient[2][N], mean[CHANNELS], squares[CHANNELS], inverse[CHANNELS];
    float scale_grad[2][CHANNELS], shift_grad[2][CHANNELS];
    Norm norm = {CHANNELS, scale, shift, mean, squares, inverse, NULL, NULL};
    take_moments(&norm, 0, ROWS, in);
    norm_finish_moments(&norm, ROWS, 1e-5f);
    for (int fused = 0; fused < 2; fused++) {
        norm.scale_grad = scale_grad[fused];
        norm.shift_grad = shift_grad[fused];
        norm_forward(&norm, ROWS, in, fused, out[fused]);
        if (!fused) relu_forward(N, out[0], out[0]);
        memcpy(gradient[fused], out_grad, sizeof gradient[0]);
        if (!fused) relu_backward(N, out[0], gradient[0], gradient[0]);
        take_gradients(&norm, 0, ROWS, in, fused ? out[1] : NULL, gradient[fused]);
    }
    for (int i = 0; i < N; i++) {
        assert_true(out[0][i] == out[1][i]);
        assert_true(gradient[0][i] == gradient[1][i]);
    }
    assert_memory_equal(scale_grad[0], scale_grad[1], sizeof scale_grad[0]);
    assert_memory_equal(shift_grad[0], shift_grad[1], sizeof shift_grad[0]);
    in[7] = NAN;
    norm_forward(&norm, ROWS, in, true, out[0]);
    assert_true(isnan(out[0][7]));
    free_all((void *const[]){in, out_grad, scale, shift}, 4);
}

static void test_norm_apply_is_a_line_per_channel(void **unused) {
    (void)unused;
    enum { ROWS = 70, CHANNELS = 19, N = ROWS * CHANNELS };
    uint64_t state = 2;
    float *in = ref_random_array(N, &state), *factor = ref_random_array(CHANNELS, &state);
    float *offset = ref_random_array(CHANNELS, &state), out[N];
    norm_apply(ROWS, CHANNELS, in, factor, offset, out);
    for (int i = 0; i < N; i++)
        assert_float_equal(out[i], in[i] * factor[i % CHANNELS] + offset[i % CHANNELS], 1e-6f);
    free_all((void *const[]){in, factor, offset}, 3);
}

static void test_relu_in_place_and_apart(void **unused) {
    (void)unused;
    enum { N = 37 };
    uint64_t state = 3;
    float *in = ref_random_array(N, &state), *out_grad = ref_random_array(N, &state), out[N], in_grad[N];
    in[5] = 0;
    relu_forward(N, in, out);
    relu_backward(N, out, out_grad, in_grad);
    for (int i = 0; i < N; i++) {
        assert_true(out[i] == (in[i] > 0 ? in[i] : 0));
        assert_true(in_grad[i] == (in[i] > 0 ? out_grad[i] : 0));
    }
    relu_forward(N, in, in);
    relu_backward(N, in, out_grad, out_grad);
    assert_memory_equal(in, out, sizeof out);
    assert_memory_equal(out_grad, in_grad, sizeof in_grad);
    in[7] = NAN;
    relu_forward(N, in, in);
    assert_true(isnan(in[7]));
    free_all((void *const[]){in, out_grad}, 2);
}

static void check_pool(PoolShape s, int n, uint64_t *state) {
    const int64_t ins = (int64_t)n * s.height * s.width * s.channels;
    const int64_t outs = (int64_t)n * s.out_height * s.out_width * s.channels;
    float *in = ref_random_array(ins, state), *out_grad = ref_random_array(outs, state);
    for (int64_t i = 0; i < ins; i++)
        in[i] = (float)(int)(in[i] * 4); /* many equal ones */
    float *out = ref_nan_array(outs), *in_grad = ref_nan_array(ins);
    uint8_t *argmax = zeros(outs + 1, 1);
    argmax[outs] = 77;
    double *in64 = ref_doubles(in, ins), *out_grad64 = ref_doubles(out_grad, outs);
    double *out64 = zeros(outs, 8), *in_grad64 = zeros(ins, 8);
    pool_forward(&s, n, in, out, argmax);
    pool_backward_relu(&s, n, argmax, NULL, out_grad, in_grad);
    ref_pool_forward(&s, n, in64, out64);
    ref_pool_backward(&s, n, in64, out_grad64, in_grad64);
    assert_true(ref_difference(out, out64, outs) == 0);
    assert_true(ref_difference(in_grad, in_grad64, ins) < 1e-6);
    assert_int_equal(argmax[outs], 77);
    for (int64_t i = 0; i < outs; i++)
        assert_true(argmax[i] < s.window * s.window);
    free_all((void *const[]){in, out_grad, out, in_grad, argmax, in64, out_grad64, out64, in_grad64}, 9);
}

/* Fused with relu: the same bits as one after the other, in either order. */
static void check_pool_relu(PoolShape s, int n, uint64_t *state) {
    const int64_t ins = (int64_t)n * s.height * s.width * s.channels;
    const int64_t outs = (int64_t)n * s.out_height * s.out_width * s.channels;
    float *in = ref_random_array(ins, state), *out_grad = ref_random_array(outs, state);
    float *out = ref_nan_array(outs), *fused = ref_nan_array(outs), *relu_in = ref_nan_array(ins);
    float *in_grad = ref_nan_array(ins), *fused_grad = ref_nan_array(ins);
    uint8_t *argmax = zeros(outs, 1), *fused_winner = zeros(outs, 1);
    pool_forward_relu(&s, n, in, fused, fused_winner);
    pool_backward_relu(&s, n, fused_winner, fused, out_grad, fused_grad);
    pool_forward(&s, n, in, out, argmax);
    relu_forward(outs, out, out);
    assert_memory_equal(fused, out, (size_t)outs * sizeof *out);
    relu_forward(ins, in, relu_in);
    pool_forward(&s, n, relu_in, out, argmax);
    assert_memory_equal(fused, out, (size_t)outs * sizeof *out);
    pool_backward_relu(&s, n, argmax, NULL, out_grad, in_grad);
    relu_backward(ins, relu_in, in_grad, in_grad);
    for (int64_t i = 0; i < ins; i++)
        assert_true(fused_grad[i] == in_grad[i]);
    free_all((void *const[]){in, out_grad, out, fused, relu_in, in_grad, fused_grad, argmax, fused_winner},
             9);
}

static void test_pool_equals_reference(void **unused) {
    (void)unused;
    static const int channels[] = {1, 3, 7, 8, 9, 16, 20, 50};
    uint64_t state = 4;
    for (int c = 0; c < 8; c++) {
        for (int window = 1; window <= 3; window++)
            for (int stride = 1; stride <= 3; stride++) {
                check_pool(pool_shape(4 + c, 9, channels[c], window, stride), 1 + c % 3, &state);
                check_pool_relu(pool_shape(4 + c, 9, channels[c], window, stride), 1 + c % 3, &state);
            }
    }
    check_pool(pool_shape(16, 15, 5, 15, 1), 2, &state);
    assert_int_equal(pool_shape(2, 9, 1, 3, 1).out_height, 0);
}

static void test_pool_keeps_nan(void **unused) {
    (void)unused;
    const PoolShape s = pool_shape(2, 2, 1, 2, 2);
    for (int place = 0; place < 4; place++) {
        float in[4] = {1, 2, 3, 4}, out;
        uint8_t argmax;
        in[place] = NAN;
        pool_forward(&s, 1, in, &out, &argmax);
        assert_true(isnan(out));
        assert_int_equal(argmax, place);
    }
}

static void check_average_pool(AveragePoolShape s, int n, uint64_t *state) {
    s.out_height = (s.height - s.window_height) / s.stride + 1;
    s.out_width = (s.width - s.window_width) / s.stride + 1;
    const int64_t ins = (int64_t)n * s.height * s.width * s.channels;
    const int64_t outs = (int64_t)n * s.out_height * s.out_width * s.channels;
    float *in = ref_random_array(ins, state), *out_grad = ref_random_array(outs, state);
    float *out = ref_nan_array(outs + 1), *in_grad = ref_nan_array(ins + 1);
    double *in64 = ref_doubles(in, ins), *out_grad64 = ref_doubles(out_grad, outs);
    double *out64 = zeros(outs, 8), *in_grad64 = zeros(ins, 8);
    average_pool_forward(&s, n, in, out);
    average_pool_backward(&s, n, out_grad, in_grad);
    ref_average_pool_forward(&s, n, in64, out64);
    ref_average_pool_backward(&s, n, out_grad64, in_grad64);
    assert_true(ref_difference(out, out64, outs) < 1e-6);
    assert_true(ref_difference(in_grad, in_grad64, ins) < 1e-6);
    assert_true(isnan(out[outs]) && isnan(in_grad[ins]));
    free_all((void *const[]){in, out_grad, out, in_grad, in64, out_grad64, out64, in_grad64}, 8);
}

static void test_average_pool_equals_reference(void **unused) {
    (void)unused;
    static const int channels[] = {1, 3, 7, 8, 9, 16, 20, 50};
    uint64_t state = 7;
    for (int c = 0; c < 8; c++)
        for (int window = 1; window <= 3; window++)
            for (int stride = 1; stride <= 3; stride++)
                check_average_pool((AveragePoolShape){4 + c, 9, channels[c], window, window, stride, 0, 0},
                                   1 + c % 3, &state);
    check_average_pool((AveragePoolShape){64, 40, 5, 64, 40, 1, 0, 0}, 2, &state);
}

static void test_add(void **unused) {
    (void)unused;
    enum { N = 37 };
    uint64_t state = 8;
    float *a = ref_random_array(N, &state), *b = ref_random_array(N, &state), sum[N], positive[N];
    add_forward(N, a, b, false, sum);
    add_forward(N, a, b, true, positive);
    for (int i = 0; i < N; i++) {
        assert_true(sum[i] == a[i] + b[i]);
        assert_true(positive[i] == (sum[i] > 0 ? sum[i] : 0));
    }
    add_forward(N, a, b, false, a);
    assert_memory_equal(a, sum, sizeof sum);
    a[3] = NAN;
    add_forward(N, a, b, true, positive);
    assert_true(isnan(positive[3]));
    free_all((void *const[]){a, b}, 2);
}

static void test_dropout(void **unused) {
    (void)unused;
    enum { N = 41 };
    uint64_t state = 5;
    float *in = ref_random_array(N, &state), out[N];
    uint8_t keep[N];
    for (int i = 0; i < N; i++)
        keep[i] = i % 3 == 1;
    dropout_apply(N, in, keep, 0.4f, out);
    for (int i = 0; i < N; i++)
        assert_float_equal(out[i], keep[i] ? in[i] / 0.6f : 0, 1e-6f);
    dropout_apply(N, in, keep, 0.4f, in);
    assert_memory_equal(in, out, sizeof out);
    mem_free(in);
}

static void check_softmax(int n, int classes, float spread, float smoothing, uint64_t *state) {
    const int64_t size = (int64_t)n * classes;
    float *logits = ref_random_array(size, state), *probabilities = ref_nan_array(size),
          *grad = ref_nan_array(size);
    uint8_t *labels = zeros(n, 1);
    for (int64_t i = 0; i < size; i++)
        logits[i] *= spread;
    for (int i = 0; i < n; i++)
        labels[i] = (uint8_t)((i * 7) % classes);
    double *logits64 = ref_doubles(logits, size), *probabilities64 = zeros(size, 8), *grad64 = zeros(size, 8);
    const double loss = softmax_loss(n, classes, logits, labels, smoothing, probabilities, grad);
    const double expected =
        ref_softmax_loss(n, classes, logits64, labels, (double)smoothing, probabilities64, grad64);
    assert_true(fabs(loss - expected) <= 2e-6 * (n + fabs(expected)));
    assert_true(ref_difference(probabilities, probabilities64, size) < 1e-6);
    assert_true(ref_difference(grad, grad64, size) < 1e-6);
    assert_true(softmax_loss(n, classes, logits, labels, smoothing, probabilities, NULL) == loss);
    assert_true(softmax_loss(n, classes, logits, NULL, smoothing, grad, NULL) == 0);
    assert_memory_equal(grad, probabilities, (size_t)size * sizeof *grad);
    free_all((void *const[]){logits, probabilities, grad, labels, logits64, probabilities64, grad64}, 7);
}

static void test_softmax_equals_reference(void **unused) {
    (void)unused;
    uint64_t state = 6;
    check_softmax(33, 10, 3, 0, &state);
    check_softmax(1, 2, 1, 0, &state);
    check_softmax(5, 37, 40, 0, &state);
    check_softmax(33, 10, 3, 0.1f, &state);
    check_softmax(7, 3, 10, 0.9f, &state);
}

static void test_softmax_far_logits(void **unused) {
    (void)unused;
    const float logits[] = {1000, 0, -1000, 5, NAN, 1};
    const uint8_t labels[] = {1, 0};
    float probabilities[6];
    const double loss = softmax_loss(1, 3, logits, labels, 0, probabilities, NULL);
    assert_true(loss == 1000 && probabilities[0] == 1 && probabilities[1] == 0);
    assert_true(isnan(softmax_loss(1, 3, logits + 3, labels, 0, probabilities, NULL)));
}

typedef struct {
    int64_t rows, size;
    int channels;
    PoolShape pool;
    double *in, *scale, *shift, *weights, *out, *scratch[2];
    uint8_t *labels;
} Loss;

static double weighted_sum(const Loss *l, const double *out, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += out[i] * l->weights[i];
    return sum;
}

static double norm_loss(const Loss *l, const double *in, const double *scale, const double *shift) {
    ref_norm_forward(l->rows, l->channels, in, scale, shift, 1e-3, l->out, l->scratch[0], l->scratch[1]);
    return weighted_sum(l, l->out, l->size);
}

static double norm_loss_of_input(const double *x, void *context) {
    const Loss *l = context;
    return norm_loss(l, x, l->scale, l->shift);
}

static double norm_loss_of_scale(const double *x, void *context) {
    const Loss *l = context;
    return norm_loss(l, l->in, x, l->shift);
}

static double norm_loss_of_shift(const double *x, void *context) {
    const Loss *l = context;
    return norm_loss(l, l->in, l->scale, x);
}

static double pool_loss_of_input(const double *x, void *context) {
    const Loss *l = context;
    ref_pool_forward(&l->pool, 2, x, l->out);
    return weighted_sum(l, l->out, 2L * l->pool.out_height * l->pool.out_width * l->pool.channels);
}

static double softmax_loss_of_logits(const double *x, void *context) {
    const Loss *l = context;
    return ref_softmax_loss((int)l->rows, l->channels, x, l->labels, 0.3, l->out, l->scratch[0]);
}

static double *random_doubles(int64_t n, uint64_t *state) {
    float *floats = ref_random_array(n, state);
    double *doubles = ref_doubles(floats, n);
    mem_free(floats);
    return doubles;
}

static void test_gradients_of_references(void **unused) {
    (void)unused;
    enum { ROWS = 12, CHANNELS = 15, N = ROWS * CHANNELS };
    uint64_t state = 7;
    Loss l = {.rows = ROWS, .size = N, .channels = CHANNELS, .pool = pool_shape(6, 5, 3, 3, 2)};
    double **const arrays[] = {&l.in, &l.scale, &l.shift, &l.weights, &l.out, &l.scratch[0], &l.scratch[1]};
    for (int i = 0; i < 7; i++)
        *arrays[i] = random_doubles(N, &state);
    l.labels = zeros(ROWS, 1);
    for (int i = 0; i < ROWS; i++)
        l.labels[i] = (uint8_t)(i % CHANNELS);
    double *in_grad = zeros(N, 8), *scale_grad = zeros(N, 8), *shift_grad = zeros(N, 8);

    ref_norm_backward(ROWS, CHANNELS, l.in, l.weights, l.scale, 1e-3, in_grad, scale_grad, shift_grad);
    assert_true(ref_gradient_error(norm_loss_of_input, &l, l.in, N, in_grad) < 1e-7);
    assert_true(ref_gradient_error(norm_loss_of_scale, &l, l.scale, CHANNELS, scale_grad) < 1e-7);
    assert_true(ref_gradient_error(norm_loss_of_shift, &l, l.shift, CHANNELS, shift_grad) < 1e-7);

    ref_pool_backward(&l.pool, 2, l.in, l.weights, in_grad);
    assert_true(ref_gradient_error(pool_loss_of_input, &l, l.in, 2L * 6 * 5 * 3, in_grad) < 1e-7);

    ref_softmax_loss(ROWS, CHANNELS, l.in, l.labels, 0.3, l.out, in_grad);
    assert_true(ref_gradient_error(softmax_loss_of_logits, &l, l.in, N, in_grad) < 1e-7);

    for (int i = 0; i < 7; i++)
        mem_free(*arrays[i]);
    free_all((void *const[]){l.labels, in_grad, scale_grad, shift_grad}, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norm_equals_reference),
        cmocka_unit_test(test_norm_with_relu),
        cmocka_unit_test(test_norm_apply_is_a_line_per_channel),
        cmocka_unit_test(test_relu_in_place_and_apart),
        cmocka_unit_test(test_pool_equals_reference),
        cmocka_unit_test(test_pool_keeps_nan),
        cmocka_unit_test(test_average_pool_equals_reference),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_softmax_equals_reference),
        cmocka_unit_test(test_softmax_far_logits),
        cmocka_unit_test(test_gradients_of_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
