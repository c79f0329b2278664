#include "cli/cli.h"

#include "cli/dataset_output.h"
#include "core/mem.h"
#include "data/idx.h"
#include "data/idx_parts.h"
#include "data/picture_folder.h"
#include "store/dataset.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The words of the command line. */
typedef struct {
    const char *idx, *pictures, *out, *shape, *labels_from;
    IdxOptions as_idx;
    PictureOptions as_pictures;
    OutputFormat format;
} PrepareArguments;

static void count_classes(const ImageSet *set, int64_t counts[CLASSES_MAX]) {
    memset(counts, 0, CLASSES_MAX * sizeof *counts);
    for (int64_t i = 0; i < set->n; i++)
        counts[set->labels[i]]++;
}

static void print_report(const PrepareArguments *arguments, const DatasetParts *parts) {
    int64_t train[CLASSES_MAX], test[CLASSES_MAX];
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", arguments->out);
    const Dataset dataset = {path,
                             parts->train.spec,
                             parts->train.n,
                             parts->test.n,
                             parts->train_source,
                             parts->test_source,
                             parts->class_names};
    count_classes(&parts->train, train);
    count_classes(&parts->test, test);
    Output *output = output_create(arguments->format, OUTPUT_LINES);
    output_dataset(output, &dataset, train, test);
    output_print(output);
    output_destroy(&output);
}

/* STATUS_USAGE if out is one of the IDX files that may be read. Collective. */
static StatusCode check_inputs(const Context *context, const char *idx, const char *out, Status *status) {
    static const char *const names[] = {"train", "t10k", "test"};
    enum { EACH = 2 * IDX_VARIANTS, PARTS = sizeof names / sizeof *names };
    char *paths[PARTS * EACH];
    for (int part = 0; part < PARTS; part++)
        idx_paths(idx, names[part], paths + part * EACH);
    check_output(context, out, PARTS * EACH, paths, status);
    for (int i = 0; i < PARTS * EACH; i++)
        mem_free(paths[i]);
    return status->code;
}

static StatusCode check_arguments(PrepareArguments *arguments, Status *status) {
    PictureOptions *pictures = &arguments->as_pictures;
    if (!arguments->out || !arguments->idx == !arguments->pictures)
        return status_set(status, STATUS_USAGE,
                          "--out and either --idx or --pictures are needed; see `pardigits prepare --help`.");
    if (arguments->pictures &&
        (arguments->labels_from || arguments->as_idx.transpose || arguments->as_idx.name_file))
        return status_set(status, STATUS_USAGE,
                          "--labels-from, --transpose and --class-names belong to --idx; pictures have their "
                          "classes from their folders.");
    if (arguments->idx && (arguments->shape || pictures->invert))
        return status_set(status, STATUS_USAGE, "--shape and --invert belong to --pictures.");
    arguments->as_idx.labels_from = -1;
    if (arguments->labels_from) {
        if (strcmp(arguments->labels_from, "0") != 0 && strcmp(arguments->labels_from, "1") != 0)
            return status_set(status, STATUS_USAGE, "--labels-from %s: expected 0 or 1.",
                              arguments->labels_from);
        arguments->as_idx.labels_from = *arguments->labels_from - '0';
    }
    if (arguments->shape) shape_parse(arguments->shape, &pictures->height, &pictures->width, status);
    return status->code;
}

StatusCode cmd_prepare(const Context *context, int argc, char **argv, Status *status) {
    PrepareArguments arguments = {0};
    int operands;
    const Option options[] = {{.name = "idx", .value = &arguments.idx},
                              {.name = "pictures", .value = &arguments.pictures},
                              {.name = "out", .value = &arguments.out},
                              {.name = "class-names", .value = &arguments.as_idx.name_file},
                              {.name = "labels-from", .value = &arguments.labels_from},
                              {.name = "transpose", .flag = &arguments.as_idx.transpose},
                              {.name = "shape", .value = &arguments.shape},
                              {.name = "invert", .flag = &arguments.as_pictures.invert},
                              OPTIONS_OF_FORMAT(&arguments.format),
                              {0}};
    if (options_parse(argc, argv, options, &(Operands){0, 0, NULL}, &operands, status) ||
        check_arguments(&arguments, status))
        return status->code;
    if (arguments.idx ? check_inputs(context, arguments.idx, arguments.out, status)
                      : check_output(context, arguments.out, 0, NULL, status))
        return status->code;
    if (comm_rank(context->comm) == 0) {
        DatasetParts parts = {0};
        if (arguments.idx)
            idx_parts_read(arguments.idx, &arguments.as_idx, &parts, status);
        else
            picture_folder_read(arguments.pictures, &arguments.as_pictures, &parts, status);
        if (!status->code && !dataset_write(arguments.out, &parts, status)) print_report(&arguments, &parts);
        dataset_parts_free(&parts);
        finish_output(status);
    }
    return comm_agree(context->comm, status);
}
