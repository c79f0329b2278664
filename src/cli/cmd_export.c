#include "cli/cli.h"

#include "data/preprocess.h"
#include "store/dataset.h"
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
static StatusCode export_images(const ExportArguments *arguments, const Program *program,
                                const OpenModel *open, Status *status) {
    const char *part = NULL;
    Range rows = {0};
    ImageSet set = {0};
    if (split_rows(arguments->data, arguments->split, program->comm, open->config, &part, &rows, status) ||
        dataset_read(arguments->data, part, rows, program->comm, &set, status))
        return status->code;
    preprocess_images(config_text(open->config, "run.preprocess"), set.images, set.n);
    if (comm_rank(program->comm) == 0) svm_libsvm_write_images(open->model, &set, arguments->out, status);
    image_set_free(&set);
    return status->code;
}

/* A LIBSVM model doesn't say what images went through before the kernel saw them. */
static void say_what_is_lost(const ExportArguments *arguments, const Program *program,
                             const OpenModel *open) {
    const char *preprocess = config_text(open->config, "run.preprocess"),
               *features = config_text(open->config, "svm.features");
    if (!strcmp(preprocess, "none") && !strcmp(features, "pixels")) return;
    log_line(program->log,
             "%s doesn't say what images go through first; to import it again add --set run.preprocess=%s "
             "--set svm.features=%s",
             arguments->out, preprocess, features);
}

StatusCode cmd_export(Program *program, int argc, char **argv, Status *status) {
    ExportArguments arguments;
    OpenModel open = {0};
    const Settings none = {0};
    if (!parse(argc, argv, &arguments, status) &&
        !check_output(program, arguments.out, 1, argv + 1, status) &&
        !model_open(program, argv[1], &none, &open, status)) {
        if (open.family != &svm_family)
            status_set(status, STATUS_USAGE, "%s is a %s; only an SVM can be written as a LIBSVM model.",
                       argv[1], open.family->name);
        else if (arguments.split)
            export_images(&arguments, program, &open, status);
        else if (comm_rank(program->comm) == 0 && !svm_libsvm_write_model(open.model, arguments.out, status))
            say_what_is_lost(&arguments, program, &open);
    }
    model_close(&open);
    return comm_agree(program->comm, status);
}
