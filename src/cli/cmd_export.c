#include "cli/check_output.h"
#include "cli/cli.h"
#include "cli/model_data.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/split.h"

#include "core/mem.h"
#include "ensemble/families.h"
#include "model/open_model.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct {
    const char *format, *out, *split, *data;
    OutputFormat print;
    Settings settings;
} ExportArguments;

/* The families that write the format, "svm, cnn"; "" if none does. */
static void list_families(const char *format, char *text, size_t size) {
    text[0] = 0;
    for (int f = 0; f < model_families.count; f++)
        for (int e = 0; e < model_families.items[f]->exporter_count; e++)
            if (!strcmp(model_families.items[f]->exporters[e].format, format)) {
                const size_t used = strlen(text);
                snprintf(text + used, size - used, "%s%s", used ? ", " : "", model_families.items[f]->name);
            }
}

/* All formats there are. */
static void list_formats(char *text, size_t size) {
    text[0] = 0;
    for (int f = 0; f < model_families.count; f++)
        for (int e = 0; e < model_families.items[f]->exporter_count; e++) {
            const char *format = model_families.items[f]->exporters[e].format;
            const size_t used = strlen(text);
            if (!strstr(text, format)) snprintf(text + used, size - used, "%s%s", used ? ", " : "", format);
        }
}

/* Without --format: the one that --out ends in, as in net.onnx; otherwise LIBSVM's. */
static const char *format_of(const char *out) {
    const char *dot = strrchr(out, '.');
    for (int f = 0; dot && f < model_families.count; f++)
        for (int e = 0; e < model_families.items[f]->exporter_count; e++) {
            const char *format = model_families.items[f]->exporters[e].format;
            if (!strcasecmp(dot + 1, format)) return format;
        }
    return "libsvm";
}

static StatusCode check_format(const char *format, Status *status) {
    char families[128], formats[128];
    list_families(format, families, sizeof families);
    list_formats(formats, sizeof formats);
    if (*families) return status->code;
    return status_set(status, STATUS_USAGE, "--format %s isn't known; there is %s.", format, formats);
}

static StatusCode parse(int argc, char **argv, ExportArguments *arguments, Status *status) {
    *arguments = (ExportArguments){.settings = settings_new(argc)};
    const Option options[] = {{.name = "format", .value = &arguments->format},
                              {.name = "out", .value = &arguments->out},
                              {.name = "split", .value = &arguments->split},
                              {.name = "data", .value = &arguments->data},
                              {.name = "set", .take = settings_take, .context = &arguments->settings},
                              OPTIONS_OF_FORMAT(&arguments->print),
                              {0}};
    static const char *const names[] = {"MODEL.h5"};
    const Operands wanted = {1, 1, names};
    int operands;
    if (options_parse(argc, argv, options, &wanted, &operands, status)) return status->code;
    if (!arguments->out || !*arguments->out)
        return status_set(status, STATUS_USAGE, "--out FILE is needed: the file to be written.");
    if (arguments->data && !arguments->split)
        return status_set(status, STATUS_USAGE,
                          "--data says where the images of --split are; a model is exported without it.");
    if (!arguments->format) arguments->format = format_of(arguments->out);
    return check_format(arguments->format, status);
}

static StatusCode refuse_images(const Model *model, Status *status) {
    return status_set(
        status, STATUS_USAGE,
        "%s is a %s: --split writes images as an SVM sees them, in LIBSVM's format. Name an SVM, "
        "or read the images of the dataset by h5py.",
        h5_path(model->file), model->family->name);
}

static bool writes_images(const ModelFamily *family) {
    for (int e = 0; e < family->exporter_count; e++)
        if (family->exporters[e].write_images) return true;
    return false;
}

static const ModelExporter *find_exporter(const Model *model, const char *format, bool images,
                                          Status *status) {
    char families[128];
    if (images && !writes_images(model->family)) return refuse_images(model, status), NULL;
    for (int e = 0; e < model->family->exporter_count; e++)
        if (!strcmp(model->family->exporters[e].format, format)) return &model->family->exporters[e];
    list_families(format, families, sizeof families);
    const bool other = model->family->exporter_count > 0;
    status_set(status, STATUS_USAGE, "%s is a %s; the format %s is for models of: %s%s%s.",
               h5_path(model->file), model->family->name, format, families, other ? "; add --format " : "",
               other ? model->family->exporters[0].format : "");
    return NULL;
}

/* Images of a split as the model sees them; rank 0 writes. Collective. */
static StatusCode export_images(const ExportArguments *arguments, const Context *context, const Model *model,
                                const ModelExporter *exporter, Status *status) {
    SplitImages split;
    ModelImages images = {0};
    if (!exporter->write_images)
        return status_set(status, STATUS_USAGE,
                          "--split: the format %s is for models alone; add --format libsvm for images.",
                          exporter->format);
    if (!split_read(&(Split){arguments->data, arguments->split, model}, context, &split, status) &&
        !model_images_create(model, &split.set, &images, status) && comm_rank(context->comm) == 0)
        exporter->write_images(model, &images, arguments->out, status);
    split_images_free(&split);
    model_images_free(&images);
    return status->code;
}

/* For programs: what was written. */
static void print_result(const ExportArguments *arguments, const Model *model) {
    if (arguments->print == OUTPUT_TEXT) return;
    Output *output = output_create(arguments->print, OUTPUT_LINES);
    output_record(output);
    output_text(output, "out", NULL, arguments->out);
    output_text(output, "format", NULL, arguments->format);
    output_text(output, "model", NULL, h5_path(model->file));
    output_text(output, "family", NULL, model->family->name);
    output_text(output, "split", NULL, arguments->split ? arguments->split : "");
    output_print(output);
    output_destroy(&output);
}

static StatusCode cmd_export(const Context *context, int argc, char **argv, Status *status) {
    ExportArguments arguments;
    Model model = {0};
    char *path = NULL;
    if (!parse(argc, argv, &arguments, status)) path = model_path_of(argv[1]);
    if (path && !check_output(context, arguments.out, NULL, 1, &path, status) &&
        !model_open(context, &model_families, path, &arguments.settings, &model, status)) {
        settings_hint_at_unused(&arguments.settings, model.config, context->log);
        note_unfinished_model(&model, context->log);
        const ModelExporter *exporter =
            find_exporter(&model, arguments.format, arguments.split != NULL, status);
        const bool first = comm_rank(context->comm) == 0;
        if (exporter && arguments.split)
            export_images(&arguments, context, &model, exporter, status);
        else if (exporter && first)
            exporter->write(&model, context, arguments.out, status);
        if (!status->code && first) print_result(&arguments, &model);
    }
    model_close(&model);
    mem_free(path);
    mem_free(arguments.settings.items);
    return comm_agree(context->comm, status);
}

const Command command_export = {
    .name = "export",
    .run = cmd_export,
    .usage = "export MODEL.h5 --out FILE [--format libsvm|onnx|npz] [--split train|valid|test [--data "
             "FILE.h5]] [--set section.key=value]... [--json | --csv]",
    .help = "Writes an SVM as a model file of LIBSVM, which svm-predict reads, a CNN, an ensemble or an SVM "
            "as an ONNX file,\n"
            "or any model as a NumPy file of arrays.\n"
            "  --format      default: onnx if --out ends in .onnx, npz if in .npz, otherwise libsvm\n"
            "  --split       writes the images of this part of the dataset instead, as the model sees them\n"
            "  --set         changes a key that says how the model is used: with cnn.test_shifts=0 ONNX "
            "predicts one image\n"
            "                instead of all its shifts",
};
