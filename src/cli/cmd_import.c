#include "cli/cli.h"

#include "core/mem.h"
#include "store/checkpoint.h"
#include "svm/svm_libsvm.h"

#include <string.h>

typedef struct {
    const char *format, *out;
    Settings settings;
} ImportArguments;

/* What a LIBSVM model doesn't say about the images that it was trained on; the rest of the configuration is
 * in it. */
static StatusCode check_setting(const char *setting, Status *status) {
    static const char *const keys[] = {"run.preprocess=", "run.train=", "run.valid=", "svm.features="};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (!strncmp(setting, keys[k], strlen(keys[k]))) return status->code;
    return status_set(
        status, STATUS_USAGE,
        "--set %s: import takes run.preprocess, run.train, run.valid and svm.features; the model's "
        "file says the rest.",
        setting);
}

static StatusCode parse(int argc, char **argv, ImportArguments *arguments, Status *status) {
    *arguments = (ImportArguments){.format = "libsvm", .settings = settings_new(argc)};
    const Option options[] = {{.name = "format", .value = &arguments->format},
                              {.name = "out", .value = &arguments->out},
                              {.name = "set", .take = settings_take, .context = &arguments->settings},
                              {0}};
    int operands;
    if (options_parse(argc, argv, options, 1, 1, &operands, status)) return status->code;
    if (strcmp(arguments->format, "libsvm"))
        return status_set(status, STATUS_USAGE, "--format %s isn't known; there is libsvm.",
                          arguments->format);
    if (!arguments->out || !*arguments->out)
        return status_set(status, STATUS_USAGE, "--out MODEL.h5 is needed: the file to be written.");
    return STATUS_OK;
}

StatusCode cmd_import(const Context *context, int argc, char **argv, Status *status) {
    ImportArguments arguments;
    Config *config = config_create(&model_families.keys);
    void *model = NULL;
    if (!parse(argc, argv, &arguments, status)) check_output(context, arguments.out, 1, argv + 1, status);
    for (int i = 0; i < arguments.settings.count && !status->code; i++)
        if (!config_set(config, arguments.settings.items[i], "--set", status))
            check_setting(arguments.settings.items[i], status);
    if (!status->code && comm_rank(context->comm) == 0)
        svm_libsvm_read_model(&model, config, argv[1], status);
    const CheckpointInfo info = {.config = config, .complete = true};
    if (!comm_agree(context->comm, status))
        checkpoint_save(arguments.out, context->comm, &info, svm_libsvm_save, model, status);
    svm_libsvm_free(&model);
    config_destroy(&config);
    mem_free(arguments.settings.items);
    return status->code;
}
