#include "cnn/cnn_bench.h"

#include "cnn/cnn_options.h"
#include "cnn/micro_batch.h"

#include "core/mem.h"
#include "core/rng.h"
#include "core/timer.h"

#include <stdio.h>
#include <string.h>

#define ROUND_S 0.0005 /* calls are timed in rounds of about this long; the fastest counts */
enum { ROUNDS = 200 };

/* Everything that the three passes of one layer read and write. */
typedef struct {
    const ConvShape *shape;
    int n;
    float *in, *out, *weights, *bias, *packed_forward, *packed_backward;
    float *in_grad, *out_grad, *weight_grad, *bias_grad, *work;
} LayerArrays;

typedef void (*Pass)(const LayerArrays *a);

static float *random_floats(int64_t n) {
    float *values = mem_new((size_t)n + 4, sizeof *values);
    const RngKey key = {1, RNG_TEST};
    for (int64_t i = 0; i < n; i += 4)
        rng_normal4(key, 0, 0, (uint32_t)(i / 4), values + i);
    return values;
}

static LayerArrays arrays_new(const ConvShape *s, int n) {
    const int64_t ins = (int64_t)n * s->height * s->width * s->channels;
    const int64_t outs = (int64_t)n * s->out_height * s->out_width * s->filters;
    const int64_t weights = (int64_t)s->kernel * s->kernel * s->channels * s->filters;
    LayerArrays a = {
        .shape = s,
        .n = n,
        .in = random_floats(ins),
        .out = random_floats(outs),
        .weights = random_floats(weights),
        .bias = random_floats(s->filters),
        .packed_forward = random_floats(conv_packed_size(s)),
        .packed_backward = random_floats(conv_packed_size(s)),
        .in_grad = random_floats(ins),
        .out_grad = random_floats(outs),
        .weight_grad = random_floats(weights),
        .bias_grad = random_floats(s->filters),
        .work = random_floats(conv_work_size(s, n)),
    };
    conv_pack_forward(s, a.weights, a.packed_forward);
    conv_pack_backward(s, a.weights, a.packed_backward);
    return a;
}

static void arrays_free(LayerArrays *a) {
    float *const all[] = {
        a->in,       a->out,         a->weights,   a->bias, a->packed_forward, a->packed_backward, a->in_grad,
        a->out_grad, a->weight_grad, a->bias_grad, a->work};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
}

static void forward(const LayerArrays *a) {
    conv_forward(a->shape, a->n, a->in, a->packed_forward, a->bias, a->out, a->work);
}

static void backward_data(const LayerArrays *a) {
    conv_backward_data(a->shape, a->n, a->out_grad, a->packed_backward, a->in_grad, a->work);
}

static void backward_weights(const LayerArrays *a) {
    conv_backward_weights(a->shape, a->n, a->in, a->out_grad, a->weight_grad, a->bias_grad, a->work);
}

static double timed_calls(Pass pass, const LayerArrays *a, int64_t calls) {
    const double started_s = timer_now_s();
    for (int64_t i = 0; i < calls; i++)
        pass(a);
    return timer_now_s() - started_s;
}

/* Operations a second of the fastest round. */
static double measure(Pass pass, const LayerArrays *a) {
    int64_t calls = 1;
    while (timed_calls(pass, a, calls) < ROUND_S)
        calls *= 2;
    double best_s = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        const double seconds = timed_calls(pass, a, calls);
        best_s = seconds < best_s ? seconds : best_s;
    }
    return 2.0 * (double)conv_multiply_adds(a->shape) * a->n * (double)calls / best_s;
}

static LayerRate measure_layer(const Layer *layer, int images, int images_back) {
    LayerRate rate = {.height = layer->conv.height,
                      .width = layer->conv.width,
                      .channels = layer->conv.channels,
                      .images = images,
                      .images_back = images_back};
    snprintf(rate.text, sizeof rate.text, "%s", layer->text);
    LayerArrays arrays = arrays_new(&layer->conv, images > images_back ? images : images_back);
    arrays.n = images;
    rate.forward_flops = measure(forward, &arrays);
    arrays.n = images_back;
    rate.backward_data_flops = measure(backward_data, &arrays);
    rate.backward_weights_flops = measure(backward_weights, &arrays);
    arrays_free(&arrays);
    return rate;
}

/* How many images of a micro-batch pass through layer i together in one of these stages. */
static int images_at_a_time(const Stage *stages, int count, int i, int micro_batch) {
    for (int k = 0; k < count; k++)
        if (stages[k].first <= i && i < stages[k].end) return stages[k].group;
    return micro_batch;
}

/* Freed by the caller; not to be used after an error. */
static Network *parse_network(const Config *config, Status *status) {
    Network *net = mem_new(1, sizeof *net);
    network_parse(net, cnn_options(config).layers, image_spec_mnist(), status);
    return net;
}

StatusCode cnn_bench_layers(const Config *config, int images, LayerRate *rates, int *count, Status *status) {
    Network *net = parse_network(config, status);
    *count = 0;
    const int micro_batch = (int)cnn_options(config).micro_batch;
    MicroBatchPlan plan = {0};
    if (!status->code) plan = micro_batch_plan_create(net, micro_batch);
    for (int i = 0; i < net->layer_count && !status->code; i++) {
        if (!net->layers[i].type->multiplies) continue;
        const int forward_images = images_at_a_time(plan.forward, plan.forward_count, i, micro_batch);
        const int back_images = images_at_a_time(plan.backward, plan.backward_count, i, micro_batch);
        rates[(*count)++] =
            measure_layer(&net->layers[i], images ? images : forward_images, images ? images : back_images);
    }
    mem_free(net);
    return status->code;
}

StatusCode cnn_bench_gradient(const Config *config, int64_t *values, SumType *type, Status *status) {
    const CnnOptions options = cnn_options(config);
    Network *net = parse_network(config, status);
    *values = net->param_floats;
    *type = sum_type_of_bits(cnn_sum_bits(&options));
    mem_free(net);
    return status->code;
}
