#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "conv/conv_backend.h"
#include "conv/conv_winograd.h"
#include "core/mem.h"
#include "ref/ref_conv.h"
#include "ref/ref_numbers.h"

enum { GUARD = 16 }; /* floats behind each written array that must stay as they are */

typedef struct {
    ConvShape shape;
    int n;
    int64_t ins, outs, weights; /* lengths */
    float *in, *weight, *bias, *out_grad, *work, *packed;
} Case;

static Case case_new(ConvShape s, int n, uint64_t *state) {
    Case c = {.shape = s, .n = n};
    c.ins = (int64_t)n * s.height * s.width * s.channels;
    c.outs = (int64_t)n * s.out_height * s.out_width * s.filters;
    c.weights = (int64_t)s.kernel * s.kernel * s.channels * s.filters;
    c.in = ref_random_array(c.ins, state);
    c.weight = ref_random_array(c.weights, state);
    c.bias = ref_random_array(s.filters, state);
    c.out_grad = ref_random_array(c.outs, state);
    c.work = ref_nan_array(conv_work_size(&s, n));
    c.packed = ref_nan_array(conv_packed_size(&s));
    return c;
}

static void case_free(Case *c) {
    float *const arrays[] = {c->in, c->weight, c->bias, c->out_grad, c->work, c->packed};
    for (int i = 0; i < 6; i++)
        mem_free(arrays[i]);
}

/* Products are of floats; tiles' of floats split in two, see tiles.h; Winograd's sums differ by more. */
static double tolerance_of(const ConvBackend *backend) {
    return backend == &conv_direct ? 4e-6 : backend == &conv_winograd ? 2e-5 : 0x1p-15;
}

static void assert_close(const Case *c, const char *what, ConvPass pass, const float *got,
                         const double *expected, int64_t n) {
    const ConvShape *s = &c->shape;
    const double difference = ref_difference(got, expected, n);
    if (difference > tolerance_of(s->backend[pass]))
        fail_msg("%s differs by %g: backend %s, n %d, %d x %d x %d -> %d, kernel %d, stride %d, pad %d", what,
                 difference, s->backend[pass]->name, c->n, s->height, s->width, s->channels, s->filters,
                 s->kernel, s->stride, s->pad);
    for (int i = 0; i < GUARD; i++)
        if (got[n + i] == got[n + i]) fail_msg("%s writes behind its array", what);
}

static void check_forward(const Case *c, int with_bias) {
    float *out = ref_nan_array(c->outs + GUARD);
    double *in = ref_doubles(c->in, c->ins), *weight = ref_doubles(c->weight, c->weights);
    double *bias = ref_doubles(c->bias, c->shape.filters),
           *expected = mem_new((size_t)c->outs, sizeof *expected);
    conv_pack_forward(&c->shape, c->weight, c->packed);
    conv_forward(&c->shape, c->n, c->in, c->packed, with_bias ? c->bias : NULL, out, c->work);
    ref_conv_forward(&c->shape, c->n, in, weight, with_bias ? bias : NULL, expected);
    assert_close(c, "forward", CONV_FORWARD, out, expected, c->outs);
    conv_forward_relu(&c->shape, c->n, c->in, c->packed, with_bias ? c->bias : NULL, out, c->work);
    for (int64_t i = 0; i < c->outs; i++)
        expected[i] = expected[i] < 0 ? 0 : expected[i];
    assert_close(c, "forward with relu", CONV_FORWARD, out, expected, c->outs);
    mem_free(out);
    mem_free(in);
    mem_free(weight);
    mem_free(bias);
    mem_free(expected);
}

static void check_backward_data(const Case *c) {
    float *in_grad = ref_nan_array(c->ins + GUARD);
    double *out_grad = ref_doubles(c->out_grad, c->outs), *weight = ref_doubles(c->weight, c->weights);
    double *expected = mem_new((size_t)c->ins, sizeof *expected);
    conv_pack_backward(&c->shape, c->weight, c->packed);
    conv_backward_data(&c->shape, c->n, c->out_grad, c->packed, in_grad, c->work);
    ref_conv_backward_data(&c->shape, c->n, out_grad, weight, expected);
    assert_close(c, "data gradient", CONV_DATA, in_grad, expected, c->ins);
    conv_backward_data_relu(&c->shape, c->n, c->out_grad, c->packed, c->in, in_grad, c->work);
    for (int64_t i = 0; i < c->ins; i++)
        expected[i] = c->in[i] > 0 ? expected[i] : 0;
    assert_close(c, "data gradient through relu", CONV_DATA, in_grad, expected, c->ins);
    mem_free(in_grad);
    mem_free(out_grad);
    mem_free(weight);
    mem_free(expected);
}

static void check_backward_weights(const Case *c, int with_bias) {
    const int filters = c->shape.filters;
    float *weight_grad = ref_nan_array(c->weights + GUARD), *bias_grad = ref_nan_array(filters + GUARD);
    double *in = ref_doubles(c->in, c->ins), *out_grad = ref_doubles(c->out_grad, c->outs);
    double *expected = mem_new((size_t)c->weights, sizeof *expected);
    double *expected_bias = mem_new((size_t)filters, sizeof *expected_bias);
    conv_backward_weights(&c->shape, c->n, c->in, c->out_grad, weight_grad, with_bias ? bias_grad : NULL,
                          c->work);
    ref_conv_backward_weights(&c->shape, c->n, in, out_grad, expected, expected_bias);
    assert_close(c, "weight gradient", CONV_WEIGHTS, weight_grad, expected, c->weights);
    if (with_bias) assert_close(c, "bias gradient", CONV_WEIGHTS, bias_grad, expected_bias, filters);
    conv_sum_weights(&c->shape, &(ConvWeightSum){.n = c->n,
                                                 .in = c->in,
                                                 .out_grad = c->out_grad,
                                                 .add = true,
                                                 .weight_grad = weight_grad,
                                                 .bias_grad = with_bias ? bias_grad : NULL,
                                                 .work = c->work,
                                                 .end_part = 1,
                                                 .parts = 1});
    for (int64_t i = 0; i < c->weights; i++)
        expected[i] *= 2;
    for (int f = 0; f < filters; f++)
        expected_bias[f] *= 2;
    assert_close(c, "added weight gradient", CONV_WEIGHTS, weight_grad, expected, c->weights);
    if (with_bias) assert_close(c, "added bias gradient", CONV_WEIGHTS, bias_grad, expected_bias, filters);
    mem_free(weight_grad);
    mem_free(bias_grad);
    mem_free(in);
    mem_free(out_grad);
    mem_free(expected);
    mem_free(expected_bias);
}

/* A sample's result must not depend on its place in a batch. */
static void check_same_bits_alone(const Case *c) {
    const ConvShape *s = &c->shape;
    const int64_t in_size = c->ins / c->n, out_size = c->outs / c->n;
    float *out = ref_nan_array(c->outs), *alone = ref_nan_array(out_size);
    float *in_grad = ref_nan_array(c->ins), *alone_grad = ref_nan_array(in_size);
    conv_pack_forward(s, c->weight, c->packed);
    conv_forward(s, c->n, c->in, c->packed, c->bias, out, c->work);
    for (int i = 0; i < c->n; i++) {
        conv_forward(s, 1, c->in + i * in_size, c->packed, c->bias, alone, c->work);
        assert_memory_equal(alone, out + i * out_size, (size_t)out_size * sizeof *alone);
    }
    conv_pack_backward(s, c->weight, c->packed);
    conv_backward_data(s, c->n, c->out_grad, c->packed, in_grad, c->work);
    for (int i = 0; i < c->n; i++) {
        conv_backward_data(s, 1, c->out_grad + i * out_size, c->packed, alone_grad, c->work);
        assert_memory_equal(alone_grad, in_grad + i * in_size, (size_t)in_size * sizeof *alone_grad);
    }
    mem_free(out);
    mem_free(alone);
    mem_free(in_grad);
    mem_free(alone_grad);
}

static void check_shape(ConvShape shape, int n, uint64_t *state) {
    Case c = case_new(shape, n, state);
    check_forward(&c, n & 1);
    check_backward_data(&c);
    check_backward_weights(&c, n & 1);
    check_same_bits_alone(&c);
    case_free(&c);
}

static ConvShape with_backends(ConvShape shape, const ConvBackend *images, const ConvBackend *weights) {
    shape.backend[CONV_FORWARD] = shape.backend[CONV_DATA] = images;
    shape.backend[CONV_WEIGHTS] = weights;
    return shape;
}

static bool is_on_tiles(const ConvBackend *backend) {
    return backend != &conv_direct && backend != &conv_winograd;
}

/* In every way that there is: on tiles where the machine would, directly, by Winograd where it can, and with
 * a direct weight gradient beside it. */
static void check_all(ConvShape shape, int n, uint64_t *state) {
    if (is_on_tiles(shape.backend[CONV_FORWARD]) || is_on_tiles(shape.backend[CONV_DATA]))
        check_shape(shape, n, state);
    check_shape(with_backends(shape, &conv_direct, &conv_direct), n, state);
    if (!conv_winograd_fits(&shape)) return;
    check_shape(with_backends(shape, &conv_winograd, &conv_winograd), n, state);
    check_shape(with_backends(shape, &conv_winograd, &conv_direct), n, state);
}

static void test_random_shapes(void **unused) {
    (void)unused;
    static const int channels[] = {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 20, 31, 32, 33, 50, 64, 70};
    static const int kernels[] = {1, 2, 3, 5, 7};
    uint64_t state = 1;
    int done = 0;
    for (int i = 0; i < 600; i++) {
        uint32_t draw[8];
        for (int d = 0; d < 8; d++)
            draw[d] = (uint32_t)((ref_random(&state) + 1) * (1 << 20));
        const ConvShape shape = conv_shape(1 + (int)(draw[0] % 11), 1 + (int)(draw[1] % 11),
                                           channels[draw[2] % 17], channels[draw[3] % 17],
                                           kernels[draw[4] % 5], 1 + (int)(draw[5] % 3), (int)(draw[6] % 3));
        if (shape.out_height == 0) continue;
        check_all(shape, 1 + (int)(draw[7] % 5), &state);
        done++;
    }
    assert_true(done > 300);
}

static void test_shapes_of_networks(void **unused) {
    (void)unused;
    uint64_t state = 2;
    check_all(conv_shape(28, 28, 1, 32, 3, 1, 0), 3, &state);
    check_all(conv_shape(9, 30, 1, 40, 3, 1, 1), 2, &state);
    check_all(conv_shape(30, 9, 1, 33, 5, 1, 2), 2, &state);
    check_all(conv_shape(26, 26, 32, 32, 3, 1, 1), 2, &state);
    check_all(conv_shape(28, 28, 1, 20, 5, 1, 0), 2, &state);
    check_all(conv_shape(12, 12, 20, 50, 5, 1, 0), 5, &state);
    check_all(conv_shape(24, 24, 32, 32, 5, 2, 2), 2, &state);
    check_all(conv_shape(7, 7, 64, 64, 3, 1, 1), 33, &state); /* more than one group of images */
}

static void assert_backends(ConvShape shape, const ConvBackend *images, const ConvBackend *weights) {
    assert_ptr_equal(shape.backend[CONV_FORWARD], images);
    assert_ptr_equal(shape.backend[CONV_DATA], images);
    assert_ptr_equal(shape.backend[CONV_WEIGHTS], weights);
}

/* That it is as fast as it can be, not only right. */
static void test_chosen_backends(void **unused) {
    (void)unused;
    const ConvShape large = conv_shape(26, 26, 32, 32, 3, 1, 0);
    const ConvBackend *fast = large.backend[CONV_FORWARD];
    assert_ptr_not_equal(fast, &conv_direct);
    assert_backends(large, fast, fast);
    assert_backends(conv_shape(24, 24, 32, 32, 5, 2, 2), fast, fast);
    if (is_on_tiles(fast)) return;
    assert_backends(conv_shape(26, 26, 8, 32, 3, 1, 0), &conv_direct,
                    &conv_direct); /* transforms would cost more */
    assert_backends(conv_shape(4, 4, 96, 128, 3, 1, 0), &conv_direct, &conv_direct); /* half a tile */
    assert_backends(conv_shape(26, 26, 32, 32, 1, 1, 0), &conv_direct, &conv_direct);
    assert_backends(conv_shape(8, 8, 64, 64, 5, 2, 2), &conv_winograd,
                    &conv_direct); /* half of the products saved */
}

static void test_dense_layers(void **unused) {
    (void)unused;
    uint64_t state = 3;
    static const int inputs[] = {1, 7, 100, 1152}, outputs[] = {10, 1, 128, 17}, images[] = {1, 5, 32, 33};
    for (int i = 0; i < 4; i++)
        for (int n = 0; n < 4; n++)
            check_all(conv_shape(1, 1, inputs[i], outputs[i], 1, 1, 0), images[n], &state);
}

static void test_output_size(void **unused) {
    (void)unused;
    const ConvShape fits = conv_shape(28, 20, 1, 32, 5, 2, 2), too_small = conv_shape(3, 9, 1, 4, 5, 1, 0);
    assert_int_equal(fits.out_height, 14);
    assert_int_equal(fits.out_width, 10);
    assert_int_equal(too_small.out_height, 0);
}

typedef struct {
    const ConvShape *shape;
    int n;
    const double *in, *weights, *bias, *out_grad;
    double *out;
    int64_t outs;
} Loss;

static double loss_of(const Loss *l, const double *in, const double *weights, const double *bias) {
    double sum = 0;
    ref_conv_forward(l->shape, l->n, in, weights, bias, l->out);
    for (int64_t i = 0; i < l->outs; i++)
        sum += l->out[i] * l->out_grad[i];
    return sum;
}

static double loss_of_input(const double *x, void *context) {
    const Loss *l = context;
    return loss_of(l, x, l->weights, l->bias);
}

static double loss_of_weights(const double *x, void *context) {
    const Loss *l = context;
    return loss_of(l, l->in, x, l->bias);
}

static double loss_of_bias(const double *x, void *context) {
    const Loss *l = context;
    return loss_of(l, l->in, l->weights, x);
}

static void check_reference_gradient(ConvShape s, int n, uint64_t *state) {
    Case c = case_new(s, n, state);
    double *in = ref_doubles(c.in, c.ins), *weights = ref_doubles(c.weight, c.weights);
    double *bias = ref_doubles(c.bias, s.filters), *out_grad = ref_doubles(c.out_grad, c.outs);
    double *in_grad = ref_doubles(c.in, c.ins), *weight_grad = ref_doubles(c.weight, c.weights);
    double *bias_grad = ref_doubles(c.bias, s.filters), *out = ref_doubles(c.out_grad, c.outs);
    ref_conv_backward_data(&s, n, out_grad, weights, in_grad);
    ref_conv_backward_weights(&s, n, in, out_grad, weight_grad, bias_grad);
    Loss l = {&s, n, in, weights, bias, out_grad, out, c.outs};
    assert_true(ref_gradient_error(loss_of_input, &l, in, c.ins, in_grad) < 1e-8);
    assert_true(ref_gradient_error(loss_of_weights, &l, weights, c.weights, weight_grad) < 1e-8);
    assert_true(ref_gradient_error(loss_of_bias, &l, bias, s.filters, bias_grad) < 1e-8);
    double *const arrays[] = {in, weights, bias, out_grad, in_grad, weight_grad, bias_grad, out};
    for (int i = 0; i < 8; i++)
        mem_free(arrays[i]);
    case_free(&c);
}

static void test_gradients_of_reference(void **unused) {
    (void)unused;
    uint64_t state = 4;
    check_reference_gradient(conv_shape(5, 6, 2, 3, 3, 1, 1), 2, &state);
    check_reference_gradient(conv_shape(7, 5, 3, 2, 2, 2, 0), 2, &state);
    check_reference_gradient(conv_shape(6, 6, 1, 4, 5, 3, 2), 1, &state);
    check_reference_gradient(conv_shape(1, 1, 9, 5, 1, 1, 0), 3, &state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_shapes),   cmocka_unit_test(test_shapes_of_networks),
        cmocka_unit_test(test_chosen_backends), cmocka_unit_test(test_dense_layers),
        cmocka_unit_test(test_output_size),     cmocka_unit_test(test_gradients_of_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
