#include "cli/cli.h"

#include "store/checkpoint.h"

StatusCode model_open_file(const Program *program, const char *path, OpenModel *open, Status *status) {
    *open = (OpenModel){0};
    if (checkpoint_open(path, program->comm, &open->file, status)) return status->code;
    if (checkpoint_config(open->file, &open->config, status)) return status->code;
    const char *name = config_text(open->config, "run.model");
    open->family = family_find(name);
    if (!open->family)
        status_set(status, STATUS_FAILED, "%s holds a model of the unknown family %s.", path, name);
    return status->code;
}

static StatusCode apply_settings(const Settings *settings, const OpenModel *open, const char *path,
                                 Status *status) {
    Config *stored = NULL;
    if (checkpoint_config(open->file, &stored, status)) return status->code;
    for (int i = 0; i < settings->count && !status->code; i++)
        config_set(open->config, settings->items[i], "--set", status);
    const ConfigKey *key = status->code ? NULL : config_difference(stored, open->config);
    if (key)
        status_set(status, STATUS_USAGE,
                   "--set %s=%s: %s was trained with %s=%s; only keys that say how a model is used, such as "
                   "knn.search and cnn.test_shifts, can be changed.",
                   key->name, config_value(open->config, key->name), path, key->name,
                   config_value(stored, key->name));
    config_destroy(&stored);
    return status->code;
}

StatusCode model_open(const Program *program, const char *path, const Settings *settings, OpenModel *open,
                      Status *status) {
    if (!model_open_file(program, path, open, status)) apply_settings(settings, open, path, status);
    if (comm_agree(program->comm, status)) return status->code;
    return open->family->load(&open->model, open->file, open->config, program->comm, status);
}

void model_close(OpenModel *open) {
    Status ignored = {0};
    if (open->model) open->family->destroy(&open->model);
    config_destroy(&open->config);
    h5_close(&open->file, &ignored);
}
