#include "cli/cli.h"

#include "core/config_file.h"
#include "core/mem.h"
#include "core/timer.h"
#include "kernels/pixdot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rank 0's first thread alone: blocks of rows against rows that stay in the cache, as KNN and SVM use them.
 */
static StatusCode bench_pixdot(const Context *context, const Config *config, int images, Output *output,
                               Status *status) {
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
    output_record(output);
    output_text(output, "kernel", "kernel", pixdot_kernel_name());
    output_real(output, "gmacs", "G exact multiply-adds/s of one thread",
                (double)ROWS * ROWS * COLUMNS / best_s / 1e9, "%.1f");
    mem_free(out);
    pix_rows_free(&rows);
    mem_free(pixels);
    return status->code;
}

static const ModelBench pixdot = {"pixdot", bench_pixdot};

/* The bench of a name, of the program's kernels or of a family; NULL if there is none, and then the names
 * there are. */
static const ModelBench *find_bench(const char *name, char *names, size_t size) {
    snprintf(names, size, "%s", pixdot.name);
    if (!strcmp(name, pixdot.name)) return &pixdot;
    for (int f = 0; f < model_families.count; f++)
        for (int b = 0; b < model_families.items[f]->bench_count; b++) {
            const ModelBench *bench = &model_families.items[f]->benches[b];
            if (!strcmp(name, bench->name)) return bench;
            const size_t used = strlen(names);
            snprintf(names + used, size - used, ", %s", bench->name);
        }
    return NULL;
}

StatusCode cmd_bench(const Context *context, int argc, char **argv, Status *status) {
    const char *images = "0";
    OutputFormat format = OUTPUT_TEXT;
    const Option options[] = {{.name = "images", .value = &images}, OPTIONS_OF_FORMAT(&format), {0}};
    static const char *const operand_names[] = {"what to measure", "CONFIG.ini"};
    const Operands wanted = {1, 2, operand_names};
    int operands;
    char names[256], *end;
    if (options_parse(argc, argv, options, &wanted, &operands, status)) return status->code;
    const long count = strtol(images, &end, 10);
    if (*end || end == images || count < 0 || count > 4096)
        return status_set(status, STATUS_USAGE, "--images %s isn't a whole number from 0 to 4096.", images);
    const ModelBench *bench = find_bench(argv[1], names, sizeof names);
    if (!bench) return status_set(status, STATUS_USAGE, "bench %s isn't one of %s.", argv[1], names);
    Config *config = config_create(&model_families.keys);
    Output *output = output_create(format, OUTPUT_LINES);
    config_read_file(config, operands > 1 ? argv[2] : "configs/cnn.ini", status);
    if (!comm_agree(context->comm, status) && !bench->run(context, config, (int)count, output, status) &&
        comm_rank(context->comm) == 0)
        output_print(output);
    output_destroy(&output);
    config_destroy(&config);
    finish_output(status);
    return comm_agree(context->comm, status);
}
