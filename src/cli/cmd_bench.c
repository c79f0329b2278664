#include "cli/cli.h"

#include "cnn/cnn_bench.h"
#include "core/mem.h"
#include "core/timer.h"
#include "kernels/fma_peak.h"
#include "kernels/pixdot.h"
#include "parallel/exact_sum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_rate(double flops, double peak) {
    printf("  %8.1f %3.0f %%", flops / 1e9, 100 * flops / peak);
}

/* Rank 0's first thread alone. */
static StatusCode bench_kernels(const Context *context, const Config *config, int images, Status *status) {
    if (comm_rank(context->comm)) return status->code;
    LayerRate rates[CNN_BENCH_MAX_LAYERS];
    int count;
    const double peak = fma_peak_flops();
    if (cnn_bench_layers(config, images, rates, &count, status)) return status->code;
    printf("one thread; multiply-adds between registers: %.1f GFLOP/s\n", peak / 1e9);
    printf("%-20s %12s %6s %4s  %14s  %14s  %14s\n", "layer", "input", "images", "back", "forward",
           "data gradient", "weight gradient");
    for (int i = 0; i < count; i++) {
        char input[32];
        snprintf(input, sizeof input, "%dx%dx%d", rates[i].height, rates[i].width, rates[i].channels);
        printf("%-20s %12s %6d %4d", rates[i].text, input, rates[i].images, rates[i].images_back);
        print_rate(rates[i].forward_flops, peak);
        print_rate(rates[i].backward_data_flops, peak);
        print_rate(rates[i].backward_weights_flops, peak);
        putchar('\n');
    }
    return status->code;
}

/* Rank 0's first thread alone: blocks of rows against rows that stay in the cache, as KNN and SVM use them.
 */
static StatusCode bench_pixdot(const Context *context, const Config *config, int images, Status *status) {
    enum { ROWS = 512, COLUMNS = 784, REPEATS = 50 };
    (void)config, (void)images;
    if (comm_rank(context->comm)) return status->code;
    uint8_t *pixels = mem_new(ROWS, COLUMNS);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        pixels[i] = (uint8_t)(i * 31 % 251);
    PixRows rows = pix_rows_new(pixels, ROWS, COLUMNS);
    int32_t *out = mem_new((size_t)ROWS * ROWS, sizeof *out);
    double best_s = 1e9;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        const double started_s = timer_now_s();
        pixdot_block(&rows, 0, ROWS, &rows, 0, ROWS, out, ROWS);
        const double seconds = timer_now_s() - started_s;
        best_s = seconds < best_s ? seconds : best_s;
    }
    printf("one thread; kernel %s: %.1f G exact multiply-adds/s\n", pixdot_kernel_name(),
           (double)ROWS * ROWS * COLUMNS / best_s / 1e9);
    mem_free(out);
    pix_rows_free(&rows);
    mem_free(pixels);
    return status->code;
}

/* All ranks. */
static StatusCode bench_comm(const Context *context, const Config *config, int images, Status *status) {
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
    if (comm_rank(context->comm) == 0)
        printf("%d ranks; exact sum of %lld terms (%.1f MB): %.3f ms at best, %.3f ms on average\n",
               comm_size(context->comm), (long long)terms, (double)terms * 8e-6, best_s * 1e3,
               total_s / REPEATS * 1e3);
    exact_sum_free(&sum);
    return status->code;
}

static const struct {
    const char *name;
    StatusCode (*run)(const Context *context, const Config *config, int images, Status *status);
} benches[] = {{"kernels", bench_kernels}, {"pixdot", bench_pixdot}, {"comm", bench_comm}};

StatusCode cmd_bench(const Context *context, int argc, char **argv, Status *status) {
    const char *images = "0";
    const Option options[] = {{.name = "images", .value = &images}, {0}};
    int operands;
    if (options_parse(argc, argv, options, 1, 2, &operands, status)) return status->code;
    char *end;
    const long count = strtol(images, &end, 10);
    if (*end || end == images || count < 0 || count > 4096)
        return status_set(status, STATUS_USAGE, "--images %s isn't a whole number from 0 to 4096.", images);
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        if (strcmp(benches[i].name, argv[1])) continue;
        Config *config = config_create(&model_families.keys);
        config_read_file(config, operands > 1 ? argv[2] : "configs/cnn.ini", status);
        if (!comm_agree(context->comm, status)) benches[i].run(context, config, (int)count, status);
        config_destroy(&config);
        finish_output(status);
        return comm_agree(context->comm, status);
    }
    return status_set(status, STATUS_USAGE, "bench %s isn't one of kernels, pixdot, comm.", argv[1]);
}
