#include "cli/check_output.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/settings.h"

#include "core/mem.h"
#include "ensemble/families.h"
#include "model/open_model.h"
#include "store/atomic_file.h"
#include "store/checkpoint.h"
#include "store/dataset.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *format, *out, *shape, *classes, *data, *features_from;
    int64_t first_feature; /* of --features-from; -1: not given */
    Settings settings;
    OutputFormat print;
} ImportArguments;

/* The importer of a format and its family; an unknown format is an error. */
static const ModelImporter *find_importer(const char *format, const ModelFamily **family, Status *status) {
    char formats[128] = "";
    for (int f = 0; f < model_families.count; f++)
        for (int i = 0; i < model_families.items[f]->importer_count; i++) {
            const ModelImporter *importer = &model_families.items[f]->importers[i];
            *family = model_families.items[f];
            if (!strcmp(importer->format, format)) return importer;
            const size_t used = strlen(formats);
            snprintf(formats + used, sizeof formats - used, "%s%s", used ? ", " : "", importer->format);
        }
    status_set(status, STATUS_USAGE, "--format %s isn't known; there is %s.", format, formats);
    return NULL;
}

/* Only what the model's file doesn't say may be set. */
static StatusCode check_setting(const ModelImporter *importer, const char *setting, Status *status) {
    char keys[256] = "";
    for (int k = 0; importer->keys[k]; k++) {
        if (setting_is_of(setting, importer->keys[k])) return status->code;
        const size_t used = strlen(keys);
        snprintf(keys + used, sizeof keys - used, "%s%s", k ? ", " : "", importer->keys[k]);
    }
    return status_set(status, STATUS_USAGE, "--set %s: import takes %s; the model's file says the rest.",
                      setting, keys);
}

static StatusCode parse(int argc, char **argv, ImportArguments *arguments, Status *status) {
    *arguments = (ImportArguments){.format = "libsvm", .first_feature = -1, .settings = settings_new(argc)};
    const Option options[] = {{.name = "format", .value = &arguments->format},
                              {.name = "out", .value = &arguments->out},
                              {.name = "shape", .value = &arguments->shape},
                              {.name = "classes", .value = &arguments->classes},
                              {.name = "data", .value = &arguments->data},
                              {.name = "features-from", .value = &arguments->features_from},
                              {.name = "set", .take = settings_take, .context = &arguments->settings},
                              OPTIONS_OF_FORMAT(&arguments->print),
                              {0}};
    static const char *const names[] = {"The file to be imported"};
    const Operands wanted = {1, 1, names};
    int operands;
    if (options_parse(argc, argv, options, &wanted, &operands, status)) return status->code;
    if (!arguments->out || !*arguments->out)
        return status_set(status, STATUS_USAGE, "--out MODEL.h5 is needed: the file to be written.");
    if (arguments->features_from &&
        option_integer("features-from", arguments->features_from, 0, 1, &arguments->first_feature, status))
        return status->code;
    if (arguments->data && (arguments->shape || arguments->classes))
        return status_set(status, STATUS_USAGE,
                          "--data says the shape and the classes: omit --shape and --classes.");
    return STATUS_OK;
}

/* What the user says of the images, with zeros for the rest; the caller closes the dataset. Collective. */
static StatusCode read_spec(const ImportArguments *arguments, const Comm *comm, Dataset *dataset,
                            ImageSpec *spec, Status *status) {
    int64_t classes = 0;
    if (arguments->data) {
        dataset_open(arguments->data, comm, dataset, status);
        *spec = dataset->spec;
        return status->code;
    }
    if (arguments->shape && shape_parse(arguments->shape, &spec->height, &spec->width, status))
        return status->code;
    if (arguments->classes)
        option_integer("classes", arguments->classes, CLASSES_MIN, CLASSES_MAX, &classes, status);
    spec->classes = (int)classes;
    return status->code;
}

/* A model's file says neither, and with others than it was trained with its predictions are rubbish. */
static void note_unsaid(const ImportArguments *arguments, Log *log) {
    for (int i = 0; i < arguments->settings.count; i++)
        if (setting_is_of(arguments->settings.items[i], "run.preprocess") ||
            setting_is_of(arguments->settings.items[i], "svm.features"))
            return;
    log_line(
        log,
        "note: no --set run.preprocess=... or svm.features=... is given: the images' pixels are taken as "
        "they are; if the model was trained on others, name them.");
}

static void print_result(const ImportArguments *arguments, const ModelFamily *family, const char *path) {
    if (arguments->print == OUTPUT_TEXT) return;
    Output *output = output_create(arguments->print, OUTPUT_LINES);
    output_record(output);
    output_text(output, "out", NULL, arguments->out);
    output_text(output, "format", NULL, arguments->format);
    output_text(output, "file", NULL, path);
    output_text(output, "family", NULL, family->name);
    output_print(output);
    output_destroy(&output);
}

static StatusCode cmd_import(const Context *context, int argc, char **argv, Status *status) {
    ImportArguments arguments;
    Config *config = config_create(&model_families.keys);
    void *content = NULL;
    const ModelFamily *family = NULL;
    const ModelImporter *importer = NULL;
    ImageSpec spec = {0};
    Dataset dataset = {0};
    if (!parse(argc, argv, &arguments, status)) importer = find_importer(arguments.format, &family, status);
    if (importer && !check_output(context, arguments.out, CHECKPOINT_FORMAT, 1, argv + 1, status))
        read_spec(&arguments, context->comm, &dataset, &spec, status);
    if (!status->code && arguments.data) config_note_data(config, arguments.data, status);
    for (int i = 0; i < arguments.settings.count && !status->code; i++)
        if (!config_set(config, arguments.settings.items[i], "--set", status))
            check_setting(importer, arguments.settings.items[i], status);
    if (importer && !status->code && comm_rank(context->comm) == 0)
        importer->read(&content, &spec, config, argv[1], (int)arguments.first_feature, status);
    const CheckpointInfo info = {
        .config = config, .spec = spec, .class_names = &dataset.class_names, .complete = true};
    const bool writes = importer && comm_rank(context->comm) == 0;
    AtomicFile whole;
    if (writes) atomic_file_begin(&whole, arguments.out, status);
    if (!comm_agree(context->comm, status) && importer &&
        !checkpoint_save(arguments.out, context->comm, &info, importer->write, content, status) &&
        comm_rank(context->comm) == 0) {
        note_unsaid(&arguments, context->log);
        print_result(&arguments, family, argv[1]);
    }
    if (writes) atomic_file_let_go(&whole);
    if (importer) importer->free(&content);
    config_destroy(&config);
    dataset_close(&dataset);
    mem_free(arguments.settings.items);
    return status->code;
}

const Command command_import = {
    .name = "import",
    .run = cmd_import,
    .usage = "import FILE --out MODEL.h5 [--format libsvm] [--shape HxW] [--classes N] [--features-from 0|1] "
             "[--data FILE.h5] [--set section.key=value]... [--json | --csv]",
    .help = "Converts a LIBSVM model (C-SVC, labels 0 to 255, pixels divided by 255, no svm.normalize) to a "
            "model.h5.\n"
            "  --shape       height and width of its images; default: 28x28 if the largest feature is in its "
            "second half\n"
            "  --classes     number of classes; default: 10, or more if the labels need it\n"
            "  --features-from 0  for files whose first pixel is feature 0, as scikit-learn writes them; "
            "default: 1, unless a feature\n"
            "                0 is found\n"
            "  --data        takes shape, classes and their names from this dataset, which the model is then "
            "used with\n"
            "  --set         says what else the file doesn't: run.preprocess and svm.features, without which "
            "the predictions\n"
            "                of a model trained with them are wrong; run.train and run.valid",
};
