/* pardigits scaling: studies of how speed grows with ranks and threads. Rank 0 works alone. */
#include "cli/check_output.h"
#include "cli/cli.h"
#include "cli/options.h"

#include "core/mem.h"
#include "core/path.h"
#include "ensemble/families.h"
#include "model/run_names.h"
#include "report/gnuplot.h"
#include "report/scaling_figure.h"
#include "report/scaling_table.h"
#include "store/atomic_file.h"

#include <stdio.h>

typedef struct {
    int count;
    ScalingRun *runs; /* [count] */
    ScalingStudies studies;
    double accuracy;
    OutputFormat format;
    const char *out; /* a folder, or NULL */
} Scaling;

static StatusCode parse(int argc, char **argv, Scaling *scaling, Status *status) {
    const char *accuracy = NULL;
    const Option options[] = {{.name = "out", .value = &scaling->out},
                              {.name = "accuracy", .value = &accuracy},
                              OPTIONS_OF_FORMAT(&scaling->format),
                              {0}};
    static const char *const names[] = {"RUN"};
    const Operands wanted = {1, argc, names};
    if (options_parse(argc, argv, options, &wanted, &scaling->count, status)) return status->code;
    scaling->accuracy = SCALING_ACCURACY;
    return accuracy ? option_real("accuracy", accuracy, 0, 1, &scaling->accuracy, status) : STATUS_OK;
}

/* Whether both name the same run, by its folder or by its file. */
static bool is_same_run(const char *a, const char *b) {
    char *in_a = path_join(a, RUN_METRICS), *in_b = path_join(b, RUN_METRICS);
    const bool same = path_is_same(a, b) || path_is_same(in_a, b) || path_is_same(a, in_b);
    mem_free(in_a);
    mem_free(in_b);
    return same;
}

/* A run that is named twice would count as a repetition. */
static StatusCode check_twice(char *const *paths, int count, Status *status) {
    for (int a = 0; a < count; a++)
        for (int b = a + 1; b < count; b++)
            if (is_same_run(paths[a], paths[b]))
                return status_set(status, STATUS_USAGE, "%s and %s are the same run: name each once.",
                                  paths[a], paths[b]);
    return status->code;
}

static StatusCode read_runs(Scaling *scaling, char *const *paths, Status *status) {
    const int count = scaling->count;
    scaling->count = 0;
    scaling->runs = mem_new((size_t)count, sizeof *scaling->runs);
    if (check_twice(paths, count, status)) return status->code;
    for (int r = 0; r < count && !status->code; r++, scaling->count++)
        scaling_run_read(&scaling->runs[r], paths[r], &model_families.keys, scaling->accuracy, status);
    return status->code ? status->code
                        : scaling_studies_find(scaling->runs, count, &scaling->studies, status);
}

static Output *fill(const Scaling *scaling, OutputFormat format) {
    Output *output = output_create(format, OUTPUT_LINES);
    scaling_table_fill(output, scaling->runs, scaling->count, &scaling->studies, scaling->accuracy);
    return output;
}

static void print_table(FILE *file, const void *context) {
    output_write(context, file);
}

static StatusCode write_table(const Scaling *scaling, OutputFormat format, const char *name, Status *status) {
    if (status->code) return status->code;
    char *path = path_join(scaling->out, name);
    Output *output = fill(scaling, format);
    atomic_file_write(path, print_table, output, status);
    output_destroy(&output);
    mem_free(path);
    return status->code;
}

/* The tables, and the figures if there is a program that draws them. */
static StatusCode write_files(const Scaling *scaling, Log *log, Status *status) {
    write_table(scaling, OUTPUT_TEXT, "scaling.txt", status);
    write_table(scaling, OUTPUT_CSV, "scaling.csv", status);
    write_table(scaling, OUTPUT_JSON, "scaling.json", status);
    if (gnuplot_note_missing(log)) return status->code;
    for (int s = 0; s < scaling->studies.count && !status->code; s++) {
        char name[SCALING_FIGURE_NAME];
        scaling_figure_name(&scaling->studies, s, name);
        scaling_figure_draw(&scaling->studies.items[s], scaling->out, name, status);
    }
    return status->code;
}

static StatusCode work(Scaling *scaling, char *const *paths, Log *log, Status *status) {
    if (make_output_folder("out", scaling->out, status) || read_runs(scaling, paths, status))
        return status->code;
    Output *output = fill(scaling, scaling->format);
    output_print(output);
    output_destroy(&output);
    return scaling->out ? write_files(scaling, log, status) : status->code;
}

static StatusCode cmd_scaling(const Context *context, int argc, char **argv, Status *status) {
    Scaling scaling = {.format = OUTPUT_TEXT};
    if (!parse(argc, argv, &scaling, status) && comm_rank(context->comm) == 0)
        work(&scaling, argv + 1, context->log, status);
    scaling_studies_free(&scaling.studies);
    for (int r = 0; scaling.runs && r < scaling.count; r++)
        scaling_run_free(&scaling.runs[r]);
    mem_free(scaling.runs);
    return comm_agree(context->comm, status);
}

const Command command_scaling = {
    .name = "scaling",
    .run = cmd_scaling,
    .usage = "scaling RUN... [--accuracy A] [--out FOLDER] [--json | --csv]",
    .help = "Compares runs of one configuration on different numbers of ranks and threads: speed-up and "
            "efficiency, of\n"
            "runs over the same images (strong scaling) and over the same number of images a thread (weak "
            "scaling).\n"
            "RUN is the folder of a finished run; several of one size are repetitions.\n"
            "  --accuracy    the accuracy on held-out images whose time is told; default: 0.99\n"
            "  --out         also writes the tables to FOLDER, and figures as SVG and PNG (by gnuplot)",
};
