#include "cli/check_output.h"
#include "cli/cli.h"
#include "cli/dataset_output.h"
#include "cli/dataset_survey.h"
#include "cli/grow_arguments.h"
#include "cli/options.h"
#include "cli/settings.h"

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
    GrowArguments grow;
    IdxOptions as_idx;
    PictureOptions as_pictures;
    OutputFormat format;
} PrepareArguments;

/* Of n images, where image i has the label of image i mod set->n. */
static void count_classes(const ImageSet *set, int64_t n, int64_t counts[CLASSES_MAX]) {
    memset(counts, 0, CLASSES_MAX * sizeof *counts);
    for (int64_t i = 0; i < n; i++)
        counts[set->labels[i % set->n]]++;
}

/* train, source: of the training images as written, which may have grown. */
static void print_report(const PrepareArguments *arguments, const DatasetParts *parts, int64_t train,
                         const ImageSource *source) {
    int64_t by_class[2][CLASSES_MAX];
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", arguments->out);
    const Dataset dataset = {.path = path,
                             .spec = parts->train.spec,
                             .train = train,
                             .test = parts->test.n,
                             .train_source = *source,
                             .test_source = parts->test_source,
                             .class_names = parts->class_names};
    count_classes(&parts->train, train, by_class[0]);
    count_classes(&parts->test, parts->test.n, by_class[1]);
    Output *output = output_create(arguments->format, OUTPUT_LINES);
    output_dataset(output, &dataset, by_class[0], by_class[1]);
    output_print(output);
    output_destroy(&output);
}

/* STATUS_USAGE if --out is one of the files that may be read. Collective. */
static StatusCode check_inputs(const Context *context, const PrepareArguments *arguments, Status *status) {
    static const char *const names[] = {"train", "t10k", "test"};
    enum { EACH = 2 * IDX_VARIANTS, PARTS = sizeof names / sizeof *names };
    const char *class_names = arguments->as_idx.name_file;
    char *paths[PARTS * EACH + 1];
    for (int part = 0; part < PARTS; part++)
        idx_paths(arguments->idx, names[part], paths + part * EACH);
    paths[PARTS * EACH] = (char *)class_names;
    check_output(context, arguments->out, DATASET_FORMAT, PARTS * EACH + (class_names != NULL), paths,
                 status);
    for (int i = 0; i < PARTS * EACH; i++)
        mem_free(paths[i]);
    return status->code;
}

static StatusCode check_arguments(PrepareArguments *arguments, Status *status) {
    PictureOptions *pictures = &arguments->as_pictures;
    if (!arguments->out || !arguments->idx == !arguments->pictures)
        return status_set(
            status, STATUS_USAGE,
            "--out and one of --idx and --pictures are needed; see `pardigits prepare --help`.");
    if (arguments->pictures &&
        (arguments->labels_from || arguments->as_idx.transpose || arguments->as_idx.name_file))
        return status_set(status, STATUS_USAGE,
                          "--labels-from, --transpose and --class-names belong to --idx; pictures have their "
                          "classes from their folders.");
    if (arguments->idx && (arguments->shape || pictures->invert))
        return status_set(status, STATUS_USAGE, "--shape and --invert belong to --pictures.");
    int64_t labels_from = -1;
    if (arguments->labels_from &&
        option_integer("labels-from", arguments->labels_from, 0, 1, &labels_from, status))
        return status->code;
    arguments->as_idx.labels_from = (int)labels_from;
    if (arguments->shape) shape_parse(arguments->shape, &pictures->height, &pictures->width, status);
    return status->code;
}

/* On rank 0. */
static StatusCode read_parts(const PrepareArguments *arguments, DatasetParts *parts, Status *status) {
    if (arguments->idx) return idx_parts_read(arguments->idx, &arguments->as_idx, parts, status);
    return picture_folder_read(arguments->pictures, &arguments->as_pictures, parts, status);
}

/* Reads on rank 0, writes and tells what was written. Collective: all ranks agree. */
static StatusCode prepare(const PrepareArguments *arguments, const Context *context, Status *status) {
    DatasetParts parts = {0};
    const bool root = comm_rank(context->comm) == 0;
    if (root) read_parts(arguments, &parts, status);
    if (!comm_agree(context->comm, status)) {
        const int64_t n = arguments->grow.n ? arguments->grow.n : parts.train.n;
        ImageSource source = parts.train_source;
        if (root) {
            const char *advice = arguments->idx                  ? "subtract the pixels from 255"
                                 : arguments->as_pictures.invert ? "omit --invert"
                                                                 : "add --invert";
            warn_of_images(context->log, "training", &parts.train, parts.train_paths, advice);
            warn_of_images(context->log, "test", &parts.test, parts.test_paths, advice);
            hint_at_absent_classes(context->log, "training", &parts.train, &parts.class_names);
            hint_at_absent_classes(context->log, "test", &parts.test, &parts.class_names);
        }
        if (arguments->grow.n)
            grow_parts(&arguments->grow, context, &parts, arguments->out, &source, status);
        else if (root)
            dataset_write(arguments->out, &parts, status);
        if (root && !status->code) print_report(arguments, &parts, n, &source);
    }
    dataset_parts_free(&parts);
    return comm_agree(context->comm, status);
}

/* Whether the command line makes sense. Collective: all ranks agree. */
static StatusCode check(PrepareArguments *arguments, const Context *context, Status *status) {
    if (check_arguments(arguments, status) || grow_arguments_check(&arguments->grow, status))
        return status->code;
    if (arguments->idx) return check_inputs(context, arguments, status);
    return check_output(context, arguments->out, DATASET_FORMAT, 0, NULL, status);
}

static StatusCode cmd_prepare(const Context *context, int argc, char **argv, Status *status) {
    PrepareArguments arguments = {.grow = {.settings = settings_new(argc)}};
    int operands;
    const Option options[] = {{.name = "idx", .value = &arguments.idx},
                              {.name = "pictures", .value = &arguments.pictures},
                              {.name = "out", .value = &arguments.out},
                              {.name = "grow", .value = &arguments.grow.count},
                              {.name = "set", .take = settings_take, .context = &arguments.grow.settings},
                              {.name = "class-names", .value = &arguments.as_idx.name_file},
                              {.name = "labels-from", .value = &arguments.labels_from},
                              {.name = "transpose", .flag = &arguments.as_idx.transpose},
                              {.name = "shape", .value = &arguments.shape},
                              {.name = "invert", .flag = &arguments.as_pictures.invert},
                              OPTIONS_OF_FORMAT(&arguments.format),
                              {0}};
    if (!options_parse(argc, argv, options, &(Operands){0, 0, NULL}, &operands, status) &&
        !check(&arguments, context, status))
        prepare(&arguments, context, status);
    grow_arguments_free(&arguments.grow);
    return status->code;
}

const Command command_prepare = {
    .name = "prepare",
    .run = cmd_prepare,
    .usage = "prepare --idx DIR --out FILE.h5 [--class-names FILE] [--labels-from 0|1] [--transpose] [--json "
             "| --csv]\n"
             "  pardigits prepare --pictures DIR --out FILE.h5 [--shape HxW] [--invert] [--json | --csv]\n"
             "  pardigits prepare ... --grow N [--set section.key=value]...",
    .help = "Writes a dataset of labelled grey images and prints its counts and checksums.\n"
            "  --idx DIR          IDX files, plain or .gz, with MNIST's names; a test part (t10k or test) "
            "may be absent;\n"
            "                     DIR/PREFIX- reads PREFIX-train-images-idx3-ubyte and so on\n"
            "  --grow N           makes N training images by distorting those that there are, on all ranks "
            "together\n"
            "  --set              changes run.seed, or a key of the distortions, such as cnn.elastic, for "
            "--grow\n"
            "  --class-names FILE names of the classes, one per line\n"
            "  --labels-from 1    for labels that begin at 1, as in EMNIST letters\n"
            "  --transpose        swaps rows and columns, as EMNIST needs\n"
            "  --pictures DIR     one folder per class: DIR/train/NAME/* and DIR/test/NAME/*, or DIR/NAME/*\n"
            "  --shape HxW        height and width (8 to 64) that pictures are scaled to; default: those of "
            "the first one\n"
            "  --invert           for pictures of dark ink on a light ground",
};
