#include "cli/cli.h"

#include "store/dataset.h"
#include "svm/model.h"
#include "svm/svm_libsvm.h"

#include <string.h>

typedef struct {
    const char *format, *out, *split, *data;
} ExportArguments;

static StatusCode parse(int argc, char **argv, ExportArguments *arguments, Status *status) {
    *arguments = (ExportArguments){.format = "libsvm", .data = DEFAULT_DATA};
    const Option options[] = {{.name = "format", .value = &arguments->format},
                              {.name = "out", .value = &arguments->out},
                              {.name = "split", .value = &arguments->split},
                              {.name = "data", .value = &arguments->data},
                              {0}};
    int operands;
    if (options_parse(argc, argv, options, 1, 1, &operands, status)) return status->code;
    if (strcmp(arguments->format, "libsvm"))
        return status_set(status, STATUS_USAGE, "--format %s isn't known; there is libsvm.",
                          arguments->format);
    if (!arguments->out || !*arguments->out)
        return status_set(status, STATUS_USAGE, "--out FILE is needed: the file to be written.");
    return STATUS_OK;
}

/* Images of a split as the model sees them; rank 0 writes. */
static StatusCode export_images(const ExportArguments *arguments, const Context *context, const Model *model,
                                Status *status) {
    const char *part = NULL;
    Range rows = {0};
    ImageSet set = {0};
    ModelImages images = {0};
    if (split_rows(arguments->data, arguments->split, context->comm, model->config, &part, &rows, status) ||
        dataset_read(arguments->data, part, rows, context->comm, &set, status))
        return status->code;
    if (!model_images_create(model, &set, &images, status) && comm_rank(context->comm) == 0)
        svm_libsvm_write_images(model->state, &images.set, arguments->out, status);
    model_images_free(&images);
    return status->code;
}

/* A LIBSVM model doesn't say what images went through before the kernel saw them. */
static void say_what_is_lost(const ExportArguments *arguments, const Context *context, const Model *model) {
    const char *preprocess = config_text(model->config, "run.preprocess"),
               *features = config_text(model->config, "svm.features");
    if (!strcmp(preprocess, "none") && !strcmp(features, "pixels")) return;
    log_line(context->log,
             "%s doesn't say what images go through first; to import it again add --set run.preprocess=%s "
             "--set svm.features=%s",
             arguments->out, preprocess, features);
}

StatusCode cmd_export(const Context *context, int argc, char **argv, Status *status) {
    ExportArguments arguments;
    Model model = {0};
    const Settings none = {0};
    if (!parse(argc, argv, &arguments, status) &&
        !check_output(context, arguments.out, 1, argv + 1, status) &&
        !model_open(context, &model_families, argv[1], &none, &model, status)) {
        if (model.family != &svm_family)
            status_set(status, STATUS_USAGE, "%s is a %s; only an SVM can be written as a LIBSVM model.",
                       argv[1], model.family->name);
        else if (arguments.split)
            export_images(&arguments, context, &model, status);
        else if (comm_rank(context->comm) == 0 && !svm_libsvm_write_model(model.state, arguments.out, status))
            say_what_is_lost(&arguments, context, &model);
    }
    model_close(&model);
    return comm_agree(context->comm, status);
}
