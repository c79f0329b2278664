/* What `pardigits bench` prints of networks. */
#include "cnn/cnn_bench.h"
#include "cnn/step_bench.h"

#include "core/mem.h"
#include "kernels/fma_peak.h"
#include "parallel/allreduce_bench.h"

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

/* How often sums of so many bytes are measured. */
static int repeats_of(int64_t bytes) {
    return bytes < 1 << 20 ? 21 : 7;
}

/* A row of the table: milliseconds of each algorithm, the chosen one by name. */
static void add_sum(const Context *context, SumType type, int64_t values, Output *output) {
    const int64_t bytes = values * sum_type_bytes(type);
    Allreduce *chosen = allreduce_create(context->comm, type, NULL, values, NULL, 0);
    output_record(output);
    output_integer(output, "bytes", "bytes", bytes);
    output_text(output, "chosen", "chosen", allreduce_algorithm(chosen));
    for (const char *const *name = allreduce_names(); *name; name++) {
        char key[32];
        snprintf(key, sizeof key, "%s_ms", *name);
        output_real(output, key, *name,
                    1e3 * allreduce_bench_s(context->comm, type, values, *name, repeats_of(bytes)), "%.3f");
    }
    output_real(
        output, "blocking_ms", "blocking",
        1e3 * allreduce_bench_s(context->comm, type, values, ALLREDUCE_BENCH_BLOCKING, repeats_of(bytes)),
        "%.3f");
    allreduce_destroy(&chosen);
}

/* All ranks: sums as training makes them between nodes, over sizes and algorithms, and of the network's whole
 * gradient. */
static StatusCode bench_comm(const Context *context, const Config *config, int images, Output *output,
                             Status *status) {
    enum { LEAST_BYTES = 1 << 10, MOST_BYTES = 1 << 24 };
    (void)images;
    int64_t values;
    SumType type;
    if (cnn_bench_gradient(config, &values, &type, status)) return status->code;
    if (comm_size(context->comm) == 1)
        log_line(
            context->log,
            "hint: one rank has nothing to sum: start it on several, as in mpirun -n 4 pardigits bench comm");
    output_record(output);
    output_integer(output, "ranks", "ranks", comm_size(context->comm));
    output_integer(output, "gradients", "gradients of the network", values);
    output_integer(output, "bits", "bits of each (cnn.sum_bits)", 8 * sum_type_bytes(type));
    output_begin(output, "sums",
                 "milliseconds of a sum over the ranks: by algorithm, and MPI_Allreduce (blocking)",
                 OUTPUT_TABLE);
    for (int64_t bytes = LEAST_BYTES; bytes <= MOST_BYTES; bytes *= 4)
        add_sum(context, type, bytes / sum_type_bytes(type), output);
    add_sum(context, type, values, output);
    output_end(output);
    return status->code;
}

static void add_phases(const StepProfile *profile, Output *output) {
    output_begin(output, "phases",
                 "microseconds of a micro-batch's phases, and of the update after all micro-batches; scaled: "
                 "so that the phases add up to the median step",
                 OUTPUT_TABLE);
    for (int p = 0; p < profile->phase_count; p++) {
        const StepPhase *phase = &profile->phases[p];
        output_record(output);
        output_text(output, "phase", "phase", trace_kinds[phase->kind].name);
        output_integer(output, "first_layer", "from layer", phase->first_layer);
        output_integer(output, "last_layer", "to layer", phase->last_layer);
        output_integer(output, "groups", "groups", phase->groups);
        output_real(output, "least_us", "least", 1e6 * phase->least_s, "%.1f");
        output_real(output, "us", "scaled", 1e6 * phase->seconds, "%.1f");
    }
    output_end(output);
}

static void add_barriers(const StepProfile *profile, Output *output) {
    output_begin(output, "barrier_costs", "microseconds of a barrier of so many threads", OUTPUT_TABLE);
    for (int t = 1; t <= profile->threads; t++) {
        output_record(output);
        output_integer(output, "threads", "threads", t);
        output_real(output, "barrier_us", "us", 1e6 * profile->barrier_s[t - 1], "%.3f");
    }
    output_end(output);
}

/* Each rank by itself, all at the same time; printed is rank 0's. */
static StatusCode bench_step(const Context *context, const Config *config, int images, Output *output,
                             Status *status) {
    StepProfile *profile = mem_new(1, sizeof *profile);
    if (!step_bench(context, config, images, profile, status)) {
        output_record(output);
        output_integer(output, "images", "images of a step", profile->images);
        output_integer(output, "micro_batches", "micro-batches of a step", profile->micro_batches);
        output_real(output, "step_ms", "milliseconds of a step, one thread", 1e3 * profile->step_s, "%.3f");
        if (profile->threads > 1) {
            output_real(output, "team_ms", "milliseconds of a step of one micro-batch, all threads",
                        1e3 * profile->team_s, "%.3f");
            output_integer(output, "barriers", "barriers in that micro-batch", profile->barriers);
        }
        add_phases(profile, output);
        add_barriers(profile, output);
    }
    mem_free(profile);
    return status->code;
}

const ModelBench cnn_benches[CNN_BENCHES] = {{"kernels", true, true, bench_kernels},
                                             {"comm", true, false, bench_comm},
                                             {"step", true, true, bench_step}};
