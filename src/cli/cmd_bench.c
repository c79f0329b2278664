#include "cli/cli.h"
#include "cli/options.h"
#include "cli/same_start.h"

#include "core/config_file.h"
#include "core/mem.h"
#include "core/timer.h"
#include "ensemble/families.h"
#include "kernels/pixdot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static const ModelBench pixdot = {.name = "pixdot", .run = bench_pixdot};

/* The bench of a name, of the program's kernels or of a family (*family, otherwise NULL); NULL if there is
 * none, and then the names there are. */
static const ModelBench *find_bench(const char *name, const ModelFamily **family, char *names, size_t size) {
    snprintf(names, size, "%s", pixdot.name);
    *family = NULL;
    if (!strcmp(name, pixdot.name)) return &pixdot;
    for (int f = 0; f < model_families.count; f++)
        for (int b = 0; b < model_families.items[f]->bench_count; b++) {
            const ModelBench *bench = &model_families.items[f]->benches[b];
            if (!strcmp(name, bench->name)) return *family = model_families.items[f], bench;
            const size_t used = strlen(names);
            snprintf(names + used, size - used, ", %s", bench->name);
        }
    return NULL;
}

/* Of CONFIG.ini or, where none is named, of the source folder's; elsewhere it is that of the keys' defaults.
 */
static StatusCode read_network(const ModelFamily *family, const char *given, Config *config, Log *log,
                               Status *status) {
    static const char usual[] = "configs/cnn.ini";
    if (given || access(usual, F_OK) == 0) {
        config_read_file(config, given ? given : usual, status);
        if (!status->code && strcmp(config_text(config, "run.model"), family->name))
            status_set(status, STATUS_USAGE,
                       "run.model = %s: this bench measures a %s; name such a configuration, as "
                       "configs/cnn.ini.",
                       config_text(config, "run.model"), family->name);
        return status->code;
    }
    log_line(log, "%s isn't here: the network is that of the keys' defaults; name a CONFIG.ini for another",
             usual);
    return config_set_value(config, "run.model", family->name, "bench", status);
}

/* Of what would have no effect. */
static StatusCode check_effect(const ModelBench *bench, bool network, bool images, Status *status) {
    if (network && !bench->takes_network)
        return status_set(status, STATUS_USAGE, "bench %s needs no network: omit CONFIG.ini.", bench->name);
    if (images && !bench->takes_images)
        return status_set(status, STATUS_USAGE, "bench %s takes no images: omit --images.", bench->name);
    return status->code;
}

static StatusCode cmd_bench(const Context *context, int argc, char **argv, Status *status) {
    const char *images = NULL;
    OutputFormat format = OUTPUT_TEXT;
    const Option options[] = {{.name = "images", .value = &images}, OPTIONS_OF_FORMAT(&format), {0}};
    static const char *const operand_names[] = {"what to measure", "CONFIG.ini"};
    const Operands wanted = {1, 2, operand_names};
    int operands;
    int64_t count = 0;
    char names[256];
    if (options_parse(argc, argv, options, &wanted, &operands, status)) return status->code;
    if (images && option_integer("images", images, 0, 4096, &count, status)) return status->code;
    const ModelFamily *family;
    const ModelBench *bench = find_bench(argv[1], &family, names, sizeof names);
    if (!bench) return status_set(status, STATUS_USAGE, "bench %s isn't one of %s.", argv[1], names);
    if (check_effect(bench, operands > 1, images, status)) return status->code;
    Config *config = config_create(&model_families.keys);
    Output *output = output_create(format, OUTPUT_LINES);
    const char *given = operands > 1 ? argv[2] : NULL;
    if (bench->takes_network) read_network(family, given, config, context->log, status);
    if (!comm_agree(context->comm, status) &&
        !require_same_config(context->comm, given ? given : "configuration", config, status) &&
        !bench->run(context, config, (int)count, output, status) && comm_rank(context->comm) == 0)
        output_print(output);
    output_destroy(&output);
    config_destroy(&config);
    return comm_agree(context->comm, status);
}

const Command command_bench = {
    .name = "bench",
    .run = cmd_bench,
    .usage = "bench kernels|pixdot|comm|step [CONFIG.ini] [--images N] [--json | --csv]",
    .help = "Measures the parts of the program, for the network of CONFIG.ini (default: configs/cnn.ini, or "
            "that of the keys'\n"
            "defaults where there is no such file):\n"
            "  kernels   GFLOP/s of each layer's three passes on one core, and % of the peak that arithmetic "
            "in registers reaches;\n"
            "            --images sets how many images at a time (as many as training takes)\n"
            "  pixdot    exact multiply-adds a second of the kernel under KNN and SVM\n"
            "  comm      milliseconds of sums over the ranks, as training makes them, by size and algorithm\n"
            "  step      where the time of a training step goes on one thread, and what a barrier of threads "
            "costs;\n"
            "            --images sets the images of the step (as many as cnn.batch)",
    .needs_mpi = true,
};
