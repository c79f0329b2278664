/* The network line (parser, shapes, errors), and a whole small network against a reference in double
 * precision. */
#include "cnn/micro_batch.h"
#include "cnn/predict.h"
#include "ref/ref_network.h"

#include "cnn/contribution.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/augment.h"
#include "data/preprocess.h"
#include "store/dataset.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const ImageSpec mnist = {IMAGE_SIDE, IMAGE_SIDE, CLASSES, 0, false};

static Network *parse_for(const char *line, ImageSpec spec) {
    Network *net = mem_new(1, sizeof *net);
    Status status = {0};
    if (network_parse(net, line, spec, &status)) fail_msg("%s", status.text);
    return net;
}

static Network *parse(const char *line) {
    return parse_for(line, mnist);
}

static void assert_shape(TensorShape shape, int height, int width, int channels) {
    assert_int_equal(shape.height, height);
    assert_int_equal(shape.width, width);
    assert_int_equal(shape.channels, channels);
}

static void assert_array(const ParamArray *array, const char *name, int64_t count, bool decays) {
    assert_string_equal(array->name, name);
    assert_int_equal(array->count, count);
    assert_int_equal(array->decays, decays);
    assert_int_equal(array->first % NETWORK_ALIGN, 0);
}

static void test_shapes_and_arrays(void **state) {
    (void)state;
    Network *net =
        parse("  conv:4:3 bn relu pool:2\tconv:6:5:s2:p2 relu dropout:0.25 pool:3:s1 dense:12 bn dense:10 ");
    assert_int_equal(net->layer_count, 11);
    assert_shape(net->layers[0].out, 26, 26, 4);
    assert_shape(net->layers[3].out, 13, 13, 4);
    assert_shape(net->layers[4].out, 7, 7, 6);
    assert_shape(net->layers[7].out, 5, 5, 6);
    assert_shape(net->layers[8].out, 1, 1, 12);
    assert_shape(net->layers[10].out, 1, 1, 10);
    assert_int_equal(net->array_count, 10);
    assert_array(&net->arrays[0], "conv1/weight", 9 * 4, true); /* no bias before bn */
    assert_array(&net->arrays[1], "bn1/scale", 4, false);
    assert_array(&net->arrays[2], "bn1/shift", 4, false);
    assert_array(&net->arrays[3], "conv2/weight", 25 * 4 * 6, true);
    assert_array(&net->arrays[4], "conv2/bias", 6, false);
    assert_array(&net->arrays[5], "dense1/weight", 150 * 12, true);
    assert_array(&net->arrays[6], "bn2/scale", 12, false);
    assert_array(&net->arrays[8], "dense2/weight", 120, true);
    assert_array(&net->arrays[9], "dense2/bias", 10, false);
    assert_int_equal(net->arrays[3].fan_in, 100);
    assert_int_equal(net->arrays[5].shape.dims[0], 150);
    assert_int_equal(net->parameters, 36 + 8 + 600 + 6 + 1800 + 24 + 120 + 10);
    assert_int_equal(net->multiply_adds, 36 * 26 * 26 + 600 * 49 + 1800 + 120);
    assert_int_equal(net->statistic_floats, 2 * (4 + 12));
    mem_free(net);
}

static void test_refusals_name_the_layer(void **state) {
    (void)state;
    static const struct {
        const char *line, *expected;
    } cases[] = {
        {"", "empty"},
        {"conv:8:29 dense:10", "'conv:8:29': its kernel is larger than its input of 28x28"},
        {"pool:2 pool:15 dense:10", "'pool:15': its window is larger"},
        {"conv:8:3 dense:11", "'dense:11' with 11 outputs"},
        {"dense:10 relu", "'relu' can't be the last layer"},
        {"convolution:8:3 dense:10", "'convolution:8:3': there is no such layer; conv, dense"},
        {"conv:8 dense:10", "'conv:8' must be written conv:FILTERS:KERNEL"},
        {"conv:8:3:2 dense:10", "'conv:8:3:2': after the kernel"},
        {"conv:8:3:s0 dense:10", "the stride is '0'"},
        {"conv:8:3:p3 dense:10", "'3' but must be a whole number from 0 to 2"},
        {"conv:x:3 dense:10", "the number of filters is 'x'"},
        {"conv:99999999999:3 dense:10", "the number of filters"},
        {"conv:-1:3 dense:10", "the number of filters is '-1'"},
        {"conv:8:3:s1:p1:p1 dense:10", "too many parts"},
        {"pool:2:p1 dense:10", "only sSTRIDE"},
        {"dropout:1 dense:10", "'dropout:1': its rate"},
        {"dropout:0.99999999 dense:10", "its rate"}, /* 1 as a float */
        {"dropout:nan dense:10", "its rate"},
        {"dropout: dense:10", "its rate"},
        {"relu:3 dense:10", "'relu:3' must be written relu"},
        {"dense:10 conv:8:3", "'conv:8:3': its kernel is larger than its input of 1x1"},
        {"conv:65536:3 dense:10", "values of an image"},
        {"conv:4000:3 conv:4000:3 dense:10", "parameters; at most"},
        {"conv:8:3,relu:::::::::::::::::::::::::::::::::::::::: dense:10", "too long"},
        {"::: dense:10", "':::': there is no such layer"},
        {"avgpool:29 dense:10", "'avgpool:29': the window (or the word all) is '29' but must be"},
        {"avgpool:2:p1 dense:10", "only sSTRIDE"},
        {"avgpool:all:s2 dense:10", "after the word all"},
        {"avgpool:7 conv:10:4:s4 relu", "'relu' can't be the last layer"},
        {"relu@a add:b dense:10", "'add:b': no layer before it is labelled @b (there is: a)"},
        {"relu add:b dense:10", "no layer has a label"},
        {"relu@a relu@a dense:10", "'relu@a': an earlier layer has the same label"},
        {"relu@1 dense:10", "must begin with a letter"},
        {"relu@a-b dense:10", "letters, digits and _"},
        {"relu@ dense:10", "must begin with a letter"},
        {"add:a relu@a dense:10", "no layer before it"},
        {"conv:4:3 relu@a conv:5:3 add:a dense:10",
         "its input is 24x24x5, but 'relu@a' gives 26x26x4; both must have the same shape"},
    };
    Network *net = mem_new(1, sizeof *net);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Status status = {0};
        assert_int_equal(network_parse(net, cases[i].line, mnist, &status), STATUS_USAGE);
        if (!strstr(status.text, cases[i].expected))
            fail_msg("'%s' gave '%s', not '%s'", cases[i].line, status.text, cases[i].expected);
    }
    mem_free(net);
}

/* Images of another shape, other classes: dense:classes has one output for each. */
static void test_other_shapes(void **state) {
    (void)state;
    Network *net = mem_new(1, sizeof *net);
    Status status = {0};
    const ImageSpec spec = {16, 20, 47, 0, false};
    assert_int_equal(network_parse(net, "conv:4:3 avgpool:all dense:classes", spec, &status), STATUS_OK);
    assert_shape(net->layers[0].out, 14, 18, 4);
    assert_shape(net->layers[1].out, 1, 1, 4);
    assert_shape(net->layers[2].out, 1, 1, 47);
    assert_int_equal(network_parse(net, "dense:10", spec, &status), STATUS_USAGE);
    assert_non_null(strstr(status.text, "47"));
    status = (Status){0};
    assert_int_equal(network_parse(net, "avgpool:4", (ImageSpec){8, 20, 10, 0, false}, &status),
                     STATUS_USAGE);
    assert_non_null(strstr(status.text, "to learn"));
    mem_free(net);
}

static void test_too_many_layers(void **state) {
    (void)state;
    char line[NETWORK_MAX_LAYERS * 5 + 20] = "";
    for (int i = 0; i < NETWORK_MAX_LAYERS; i++)
        strcat(line, "relu ");
    strcat(line, "dense:10");
    Network *net = mem_new(1, sizeof *net);
    Status status = {0};
    assert_int_equal(network_parse(net, line, mnist, &status), STATUS_USAGE);
    mem_free(net);
}

static void test_initial_values(void **state) {
    (void)state;
    Network *net = parse("conv:64:5 bn relu pool:4 dense:100 relu dense:10");
    float *params = mem_new((size_t)net->param_floats, sizeof *params);
    network_init_params(net, 7, params);
    const ParamArray *dense =
        &net->arrays[3]; /* 2304 x 100 values: the sample's moments are near the true ones */
    assert_string_equal(dense->name, "dense1/weight");
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < dense->count; i++) {
        sum += params[dense->first + i];
        squares += pow(params[dense->first + i], 2);
    }
    double variance = squares / (double)dense->count;
    assert_true(fabs(sum / (double)dense->count) < 4 * sqrt(variance / (double)dense->count));
    assert_true(fabs(variance * (double)dense->fan_in / 2 - 1) < 0.02);
    for (int i = 0; i < 64; i++)
        assert_true(params[net->arrays[1].first + i] == 1);
    for (int i = 0; i < 64; i++)
        assert_true(params[net->arrays[2].first + i] == 0);
    mem_free(params);
    mem_free(net);
}

enum { FIXTURE_IMAGES = PREDICT_CHUNK + 3 };

/* A micro-batch of made-up images and parameters. */
typedef struct {
    Network *net;
    RefLeaf micro_batch;
    uint8_t images[FIXTURE_IMAGES * PIXELS_MAX], labels[FIXTURE_IMAGES];
    uint32_t rows[FIXTURE_IMAGES], indices[FIXTURE_IMAGES];
    float *params, *statistics;
    double *exact_params;
} Fixture;

static Fixture *fixture_for(const char *line, ImageSpec spec, int n) {
    const int pixels = image_spec_pixels(spec);
    Fixture *f = mem_new(1, sizeof *f);
    f->net = parse_for(line, spec);
    RngKey key = {11, RNG_TEST};
    for (int i = 0; i < n; i++) {
        for (int p = 0; p < pixels; p += 4) {
            uint32_t bits[4];
            rng_u32x4(key, 0, (uint64_t)i, (uint32_t)p, bits);
            for (int k = 0; k < 4 && p + k < pixels; k++)
                f->images[i * pixels + p + k] = (uint8_t)bits[k];
        }
        f->labels[i] = (uint8_t)((i * 3 + 1) % spec.classes);
        f->rows[i] = (uint32_t)i;
        f->indices[i] = (uint32_t)(1000 - 7 * i);
    }
    f->micro_batch = (RefLeaf){n, f->images, f->labels, f->indices, 5, 3};
    f->params = mem_new((size_t)f->net->param_floats, sizeof(float));
    f->exact_params = mem_new((size_t)f->net->param_floats, sizeof(double));
    f->statistics = mem_new((size_t)f->net->statistic_floats, sizeof(float));
    network_init_params(f->net, 5, f->params);
    for (int a = 0; a < f->net->array_count; a++) {
        const ParamArray *array = &f->net->arrays[a];
        for (int64_t i = 0; i < array->count; i++) { /* scales, shifts and biases that matter */
            if (!array->decays) f->params[array->first + i] += 0.3f * sinf((float)(i + a));
            f->exact_params[array->first + i] = f->params[array->first + i];
        }
    }
    for (int64_t i = 0; i < f->net->statistic_floats; i++)
        f->statistics[i] = 0.5f + 0.4f * cosf((float)i);
    return f;
}

static Fixture *fixture_new(const char *line, int n) {
    return fixture_for(line, mnist, n);
}

static void fixture_free(Fixture *f) {
    mem_free(f->net);
    mem_free(f->params);
    mem_free(f->exact_params);
    mem_free(f->statistics);
    mem_free(f);
}

/* d loss / d params[i] by central differences in double. */
static double difference_quotient(Fixture *f, int64_t i) {
    const double h = 1e-6, kept = f->exact_params[i];
    f->exact_params[i] = kept + h;
    double above = ref_network_loss(f->net, &f->micro_batch, f->exact_params);
    f->exact_params[i] = kept - h;
    double below = ref_network_loss(f->net, &f->micro_batch, f->exact_params);
    f->exact_params[i] = kept;
    return (above - below) / (2 * h);
}

/* Some elements of each array, spread over it. */
static void check_gradients(Fixture *f, const float *contribution, int micro_batch) {
    for (int a = 0; a < f->net->array_count; a++) {
        const ParamArray *array = &f->net->arrays[a];
        double largest = 0;
        for (int64_t i = 0; i < array->count; i++)
            largest = fmax(largest, fabs((double)contribution[array->first + i]));
        for (int64_t k = 0; k < 12 && k < array->count; k++) {
            int64_t i = array->first + k * 7919 % array->count;
            double expected = difference_quotient(f, i), got = (double)contribution[i] * micro_batch;
            if (fabs(got - expected) > 2e-4 * micro_batch * largest + 1e-6)
                fail_msg("%s[%lld]: gradient %.8g, by differences %.8g", array->name,
                         (long long)(i - array->first), got, expected);
        }
        assert_true(largest > 0);
    }
}

static void run_alone(MicroBatchWork *work, const MicroBatch *batch) {
    MicroBatchScratch scratch = micro_batch_scratch_new(work->net, work->micro_batch);
    Team team;
    team_init(&team, 1);
    micro_batch_run(work, batch, &(TeamMember){&team, 0, &scratch});
    micro_batch_scratch_free(&scratch);
}

static void check_micro_batch_of(const char *line, ImageSpec spec, int n, int micro_batch) {
    Fixture *f = fixture_for(line, spec, n);
    const Augmentation none = {0};
    Samples samples = {n, f->images, f->labels, f->rows, f->indices};
    PackedWeights packed = packed_weights_new(f->net, NULL);
    packed_weights_fill(f->net, f->params, &packed);
    MicroBatchWork *work =
        micro_batch_work_new(f->net, &(MicroBatchSetup){micro_batch, 1, f->micro_batch.seed, none, 0, NULL});
    float *contribution = mem_new((size_t)contribution_floats(f->net), sizeof *contribution);
    run_alone(work, &(MicroBatch){f->params, &packed, f->micro_batch.epoch, samples, contribution, NULL});
    double loss = ref_network_loss(f->net, &f->micro_batch, f->exact_params);
    double got = (double)contribution[contribution_loss(f->net)] * micro_batch;
    if (fabs(got - loss) > 1e-4 * loss) fail_msg("loss %.8g, reference %.8g", got, loss);
    check_gradients(f, contribution, micro_batch);
    mem_free(contribution);
    micro_batch_work_free(&work);
    packed_weights_free(&packed);
    fixture_free(f);
}

static void check_micro_batch(const char *line, int n, int micro_batch) {
    check_micro_batch_of(line, mnist, n, micro_batch);
}

static void test_gradients_of_whole_network(void **state) {
    (void)state;
    check_micro_batch(
        "conv:3:3 bn relu pool:2 dropout:0.3 conv:4:5:s2:p2 bn relu dropout:0.2 dense:7 bn relu dense:10", 8,
        8);
}

/* Layers as large as those that go by Winograd's method or on tiles. */
static void test_gradients_of_fast_methods(void **state) {
    (void)state;
    check_micro_batch("conv:16:3 bn relu conv:17:3 relu pool:2 conv:16:5:p2 bn relu dense:10", 4, 4);
}

static void test_gradients_without_norm_in_smaller_micro_batch(void **state) {
    (void)state;
    check_micro_batch("pool:3:s2 conv:5:4:p1 relu conv:3:2:s3 relu pool:2 dropout:0.5 dense:10", 5, 8);
}

static void test_gradients_with_norm_first(void **state) {
    (void)state;
    check_micro_batch("bn conv:2:7:s3 relu bn dense:6 relu dense:10", 4, 4);
    check_micro_batch("conv:3:5 pool:2 relu conv:4:5 relu relu pool:2 relu dense:7 relu dropout:0.3 dense:10",
                      3, 4);
}

/* A relu before, after or on both sides of pooling and batch norm, which do its work. */
static void test_gradients_with_relu_everywhere(void **state) {
    (void)state;
    check_micro_batch(
        "conv:3:3 relu pool:2 relu conv:4:3 pool:2 relu dropout:0.3 pool:2:s1 bn relu pool:2 relu "
        "dense:9 relu pool:1 relu dense:10",
        6, 8);
}

/* The output of a layer that is taken twice, by the next layer and further up, in every place: before and
 * behind relu, bn, dropout and pooling, in other stages than its own, the same one twice, added to itself. */
static void test_gradients_of_residual_networks(void **state) {
    (void)state;
    check_micro_batch("conv:4:3 bn relu@a conv:4:3:p1 bn relu conv:4:3:p1 bn add:a relu pool:2 dense:10", 6,
                      8);
    check_micro_batch("conv:3:3@a relu@b conv:3:3:p1@c bn@d relu dropout:0.3@e add:c pool:1@f relu add:a "
                      "add:d relu add:b add:e add:f add:b pool:3 dense:10",
                      5, 8);
    check_micro_batch("bn@a relu add:a dropout:0.2 conv:3:3 pool:2@b relu@c add:b relu conv:3:3:p1 add:c "
                      "avgpool:2 dense:6@d bn relu add:d dense:10 relu@e dense:10 add:e",
                      4, 4);
    check_micro_batch(
        "pool:2@a relu add:a conv:16:3@b relu conv:16:3:p1 relu add:b relu avgpool:all dense:10", 4, 4);
}

static void test_gradients_of_average_pooling(void **state) {
    (void)state;
    check_micro_batch("conv:5:3 relu avgpool:3:s2 relu conv:6:3 bn avgpool:2 relu conv:10:1 avgpool:all", 5,
                      8);
    check_micro_batch("avgpool:2 conv:9:3 avgpool:all relu dense:10", 3, 4);
}

/* Images that aren't square, and more classes than ten or fewer. */
static void test_gradients_of_other_shapes(void **state) {
    (void)state;
    check_micro_batch_of(
        "conv:5:3 bn relu@a conv:5:3:p1 relu add:a pool:2 dropout:0.2 conv:4:3 relu dense:classes",
        (ImageSpec){11, 17, 47, 0, false}, 5, 8);
    check_micro_batch_of("conv:16:3 relu conv:16:3:p1 bn relu avgpool:all dense:classes",
                         (ImageSpec){40, 9, 2, 0, false}, 3, 4);
}

static void test_dense_only(void **state) {
    (void)state;
    check_micro_batch("dense:10", 1, 1);
}

/* What feeds the running statistics: the micro-batch's mean and unbiased variance. */
static void test_contributed_statistics(void **state) {
    (void)state;
    Fixture *f = fixture_new("bn dense:10", 6);
    const Augmentation none = {0};
    Samples samples = {6, f->images, f->labels, f->rows, f->indices};
    PackedWeights packed = packed_weights_new(f->net, NULL);
    packed_weights_fill(f->net, f->params, &packed);
    MicroBatchWork *work = micro_batch_work_new(f->net, &(MicroBatchSetup){8, 1, 1, none, 0, NULL});
    float *contribution = mem_new((size_t)contribution_floats(f->net), sizeof *contribution);
    run_alone(work, &(MicroBatch){f->params, &packed, 0, samples, contribution, NULL});
    double mean = 0, variance = 0, rows = 6.0 * IMAGE_PIXELS;
    for (int i = 0; i < 6 * IMAGE_PIXELS; i++)
        mean += f->images[i] / 255.0 / rows;
    for (int i = 0; i < 6 * IMAGE_PIXELS; i++)
        variance += pow(f->images[i] / 255.0 - mean, 2) / (rows - 1);
    const float *statistics = contribution + f->net->param_floats;
    double weight = 6.0 / 8 * NETWORK_STATISTIC_UNIT;
    assert_true(fabs((double)statistics[0] / weight - mean) < 1e-5);
    assert_true(fabs((double)statistics[1] / weight - variance) < 1e-5);
    mem_free(contribution);
    micro_batch_work_free(&work);
    packed_weights_free(&packed);
    fixture_free(f);
}

enum { IN_USE = 7 };

static void check_in_use_of(const char *line, ImageSpec spec) {
    const int classes = spec.classes;
    Fixture *f = fixture_for(line, spec, IN_USE);
    double *logits = mem_new((size_t)(IN_USE * classes), sizeof *logits);
    ref_network_logits(f->net, &f->micro_batch, f->exact_params, f->statistics, logits);
    Predictor *predictor = predictor_new(f->net, f->params, f->statistics);
    Prediction got[IN_USE];
    ensemble_predict(&(Ensemble){1, 0, &predictor, NULL}, 2, f->images, IN_USE,
                     (Range){0, predict_chunks(IN_USE)}, (ChunkPredictions){got, NULL});
    for (int i = 0; i < IN_USE; i++) {
        const double *row = logits + i * classes;
        int best = 0;
        double sum = 0;
        for (int c = 0; c < classes; c++)
            best = row[c] > row[best] ? c : best;
        for (int c = 0; c < classes; c++)
            sum += exp(row[c] - row[best]);
        assert_int_equal(got[i].label, best);
        assert_true(fabs((double)got[i].confidence - 1 / sum) < 1e-4);
    }
    predictor_free(&predictor);
    fixture_free(f);
    mem_free(logits);
}

static void check_in_use(const char *line) {
    check_in_use_of(line, mnist);
}

/* Batch norm folded into weights, standing alone, and dropout left out; relus by themselves and in others;
 * sources that keep a norm from being folded and a relu from being fused. */
static void test_network_in_use(void **state) {
    (void)state;
    check_in_use("bn conv:3:3 bn relu pool:2 bn dropout:0.5 conv:4:3 relu dense:6 bn relu dense:10");
    check_in_use("bn relu conv:3:3 relu pool:2 relu bn relu dropout:0.1 relu dense:10");
    check_in_use("conv:4:3@a bn@b relu@c conv:4:3:p1 bn relu add:a add:b relu add:c avgpool:3 dense:10");
    check_in_use_of("conv:4:3@a bn@b relu conv:4:3:p1 bn relu add:a add:b avgpool:3 dense:classes",
                    (ImageSpec){13, 30, 100, 0, false});
    check_in_use("avgpool:2@a relu dropout:0.5@b add:a relu conv:3:3 bn@c add:c relu avgpool:all dense:10");
}

/* The probabilities of reference networks, averaged over the shifts and over the first member or both, the
 * second of which is another, larger network and sees the images deskewed; written out. Two chunks, one of
 * them not full. */
static void test_committee(void **state) {
    (void)state;
    enum { N = FIXTURE_IMAGES, SHIFTS = 2, POSITIONS = (2 * SHIFTS + 1) * (2 * SHIFTS + 1) };
    Fixture *f[2] = {fixture_new("conv:3:3 bn relu pool:3 dense:10", N),
                     fixture_new("conv:60:3 bn relu pool:3 conv:17:3 relu dense:10", N)};
    for (int64_t i = 0; i < f[1]->net->param_floats; i++)
        f[1]->exact_params[i] = f[1]->params[i] *= -0.7f;
    double expected[2][N * CLASSES] = {{0}}, logits[N * CLASSES];
    uint8_t *original = mem_copy(f[0]->images, (size_t)N * IMAGE_PIXELS);
    uint8_t *deskewed = mem_copy(original, (size_t)N * IMAGE_PIXELS);
    uint8_t *const seen[] = {original, deskewed};
    char none[] = "none", deskew[] = "deskew", *const preprocess[] = {none, deskew};
    preprocess_images("deskew", &(ImageSet){N, deskewed, NULL, image_spec_mnist()}, 1);
    assert_memory_not_equal(deskewed, original, (size_t)N * IMAGE_PIXELS);
    Predictor *members[2];
    for (int m = 0; m < 2; m++) {
        members[m] = predictor_new(f[m]->net, f[m]->params, f[m]->statistics);
        for (int shift = 0; shift < POSITIONS; shift++) {
            int dx = shift % (2 * SHIFTS + 1) - SHIFTS, dy = shift / (2 * SHIFTS + 1) - SHIFTS;
            for (int i = 0; i < N * IMAGE_PIXELS; i++) {
                int x = i % IMAGE_SIDE - dx, y = i % IMAGE_PIXELS / IMAGE_SIDE - dy;
                bool inside = x >= 0 && x < IMAGE_SIDE && y >= 0 && y < IMAGE_SIDE;
                f[m]->images[i] = inside ? seen[m][i / IMAGE_PIXELS * IMAGE_PIXELS + y * IMAGE_SIDE + x] : 0;
            }
            ref_network_logits(f[m]->net, &f[m]->micro_batch, f[m]->exact_params, f[m]->statistics, logits);
            for (int i = 0; i < N * CLASSES; i++) {
                double sum = 0;
                for (int c = 0; c < CLASSES; c++)
                    sum += exp(logits[i / CLASSES * CLASSES + c] - logits[i]);
                for (int k = m; k < 2; k++) /* the first k + 1 members */
                    expected[k][i] += 1 / sum / ((k + 1) * POSITIONS);
            }
        }
    }
    Prediction got[2][2][PREDICT_CHUNK]; /* [chunk][member][image] */
    ensemble_predict(&(Ensemble){2, SHIFTS, members, preprocess}, 2, original, N,
                     (Range){0, predict_chunks(N)}, (ChunkPredictions){got[0][0], NULL});
    for (int i = 0; i < 2 * N; i++) {
        const int m = i % 2, s = i / 2;
        const double *row = expected[m] + (ptrdiff_t)s * CLASSES;
        const Prediction one = got[s / PREDICT_CHUNK][m][s % PREDICT_CHUNK];
        assert_true(fabs((double)one.confidence - row[one.label]) < 1e-4);
        for (int c = 0; c < CLASSES; c++)
            assert_true(row[c] <= row[one.label] + 1e-6);
    }
    for (int m = 0; m < 2; m++) {
        predictor_free(&members[m]);
        fixture_free(f[m]);
    }
    mem_free(original);
    mem_free(deskewed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_and_arrays),
        cmocka_unit_test(test_refusals_name_the_layer),
        cmocka_unit_test(test_other_shapes),
        cmocka_unit_test(test_too_many_layers),
        cmocka_unit_test(test_initial_values),
        cmocka_unit_test(test_gradients_of_whole_network),
        cmocka_unit_test(test_gradients_of_fast_methods),
        cmocka_unit_test(test_gradients_without_norm_in_smaller_micro_batch),
        cmocka_unit_test(test_gradients_with_norm_first),
        cmocka_unit_test(test_gradients_with_relu_everywhere),
        cmocka_unit_test(test_gradients_of_residual_networks),
        cmocka_unit_test(test_gradients_of_average_pooling),
        cmocka_unit_test(test_gradients_of_other_shapes),
        cmocka_unit_test(test_dense_only),
        cmocka_unit_test(test_contributed_statistics),
        cmocka_unit_test(test_network_in_use),
        cmocka_unit_test(test_committee),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
