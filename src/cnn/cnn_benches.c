/* What `pardigits bench` prints of networks. */
#include "cnn/cnn_bench.h"

#include "core/timer.h"
#include "kernels/fma_peak.h"
#include "parallel/exact_sum.h"

#include <stdio.h>

static void add_rate(Output *output, const char *name, const char *title, double flops, double peak) {
    char share[48];
    output_real(output, name, title, flops / 1e9, "%.1f");
    snprintf(share, sizeof share, "%s_percent_of_peak", name);
    output_real(output, share, "%", 100 * flops / peak, "%.0f");
}

static void add_layer(Output *output, const LayerRate *rate, double peak) {
    char input[48];
    snprintf(input, sizeof input, "%dx%dx%d", rate->height, rate->width, rate->channels);
    output_record(output);
    output_text(output, "layer", "layer", rate->text);
    output_text(output, "input", "input", input);
    output_integer(output, "images", "images", rate->images);
    output_integer(output, "images_back", "back", rate->images_back);
    add_rate(output, "forward_gflops", "forward", rate->forward_flops, peak);
    add_rate(output, "data_gradient_gflops", "data gradient", rate->backward_data_flops, peak);
    add_rate(output, "weight_gradient_gflops", "weight gradient", rate->backward_weights_flops, peak);
}

/* Rank 0's first thread alone. */
static StatusCode bench_kernels(const Context *context, const Config *config, int images, Output *output,
                                Status *status) {
    LayerRate rates[CNN_BENCH_MAX_LAYERS];
    int count = 0;
    if (comm_rank(context->comm) == 0 && !cnn_bench_layers(config, images, rates, &count, status)) {
        const double peak = fma_peak_flops();
        output_record(output);
        output_real(output, "peak_gflops", "one thread, multiply-adds between registers, GFLOP/s", peak / 1e9,
                    "%.1f");
        output_begin(output, "layers", "GFLOP/s of each layer, and its share of that", OUTPUT_TABLE);
        for (int i = 0; i < count; i++)
            add_layer(output, &rates[i], peak);
        output_end(output);
    }
    return comm_agree(context->comm, status);
}

/* All ranks. */
static StatusCode bench_comm(const Context *context, const Config *config, int images, Output *output,
                             Status *status) {
    enum { REPEATS = 20 };
    (void)images;
    int64_t terms;
    if (cnn_bench_terms(config, &terms, status)) return status->code;
    ExactSum sum = exact_sum_new(terms);
    double best_s = 1e9, total_s = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        comm_barrier(context->comm);
        const double started_s = timer_now_s();
        exact_sum_reduce(&sum, context->comm);
        const double seconds = comm_max(context->comm, timer_now_s() - started_s, NULL);
        best_s = seconds < best_s ? seconds : best_s;
        total_s += seconds;
    }
    output_record(output);
    output_integer(output, "ranks", "ranks", comm_size(context->comm));
    output_integer(output, "terms", "terms of the exact sum", terms);
    output_real(output, "megabytes", "MB", (double)terms * 8e-6, "%.1f");
    output_real(output, "best_ms", "ms at best", best_s * 1e3, "%.3f");
    output_real(output, "mean_ms", "ms on average", total_s / REPEATS * 1e3, "%.3f");
    exact_sum_free(&sum);
    return status->code;
}

const ModelBench cnn_benches[CNN_BENCHES] = {{"kernels", bench_kernels}, {"comm", bench_comm}};
