#include "cli.h"

#include "pardigits/checkpoint.h"

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

StatusCode model_open(const Program *program, const char *path, OpenModel *open, Status *status) {
    model_open_file(program, path, open, status);
    if (comm_agree(program->comm, status)) return status->code;
    return open->family->load(&open->model, open->file, open->config, program->comm, status);
}

void model_close(OpenModel *open) {
    Status ignored = {0};
    if (open->model) open->family->destroy(&open->model);
    config_destroy(&open->config);
    h5_close(&open->file, &ignored);
}
