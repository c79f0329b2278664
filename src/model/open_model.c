#include "model/open_model.h"

#include "core/mem.h"
#include "core/path.h"
#include "model/run_names.h"
#include "model/run_options.h"
#include "store/atomic_file.h"
#include "store/checkpoint.h"
#include "store/run_lock.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

char *model_path_of(const char *path) {
    return path_is_folder(path) ? path_join(path, RUN_MODEL) : mem_text(path);
}

/* Whether a folder has the model of an ensemble's member: as its metrics, model.member-00.metrics.h5, say
 * nothing of one. */
static bool has_members(const char *folder) {
    bool any = false;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        any = any || (!strncmp(entry->d_name, RUN_MEMBER, strlen(RUN_MEMBER)) &&
                      !strstr(entry->d_name, ".metrics."));
    if (entries) closedir(entries);
    return any;
}

/* Whether the metrics in a folder say that the training is complete. */
static bool is_complete(const char *folder) {
    char *path = path_join(folder, RUN_METRICS);
    int64_t complete = 0;
    Status unread = {0};
    H5File *file = NULL;
    if (access(path, F_OK) == 0 && !h5_open(&file, path, &unread) &&
        h5_has_attribute(file, "/run", "complete"))
        h5_get_i64(file, "/run", "complete", &complete, &unread);
    h5_close(&file, &unread);
    mem_free(path);
    return complete != 0;
}

bool model_is_awaited(const char *path) {
    char *folder = path_folder(path), *previous = atomic_file_previous(path);
    const bool awaited =
        !strcmp(path_name(path), RUN_MODEL) && access(path, F_OK) && access(previous, F_OK) &&
        (path_holds(folder, RUN_CONFIG) || path_holds(folder, RUN_LOCK) || has_members(folder)) &&
        !is_complete(folder);
    mem_free(previous);
    mem_free(folder);
    return awaited;
}

/* A model of a run that is gone though it has been there. */
static void refuse_lost(const char *path, Status *status) {
    char *folder = path_folder(path), *previous = atomic_file_previous(path);
    if (strcmp(path_name(path), RUN_MODEL) || access(path, F_OK) == 0)
        ;
    else if (access(previous, F_OK) == 0)
        status_set(status, STATUS_FAILED, "%s isn't there any more, but the model saved before it is: %s.",
                   path, previous);
    else if (is_complete(folder))
        status_set(status, STATUS_FAILED, "%s isn't there any more, though its training is complete.", path);
    mem_free(previous);
    mem_free(folder);
}

static void refuse_awaited(const char *path, Status *status) {
    char *folder = path_folder(path);
    if (has_members(folder))
        status_set(status, STATUS_FAILED,
                   "%s has no model yet: its ensemble isn't finished. The models of its members are there as "
                   "files of their own: %s/model.member-*.h5.",
                   folder, folder);
    else
        status_set(status, STATUS_FAILED, "%s has no model yet: its training hasn't saved one.", folder);
    mem_free(folder);
}

StatusCode model_check_there(const char *path, Status *status) {
    char *old = atomic_file_replaced(path);
    if (access(path, F_OK) && !access(old, F_OK))
        status_set(
            status, STATUS_FAILED,
            "%s isn't there: a training with --overwrite began in its folder and has no model yet; the model "
            "before it is %s.",
            path, old);
    else if (model_is_awaited(path))
        refuse_awaited(path, status);
    else
        refuse_lost(path, status);
    mem_free(old);
    return status->code;
}

/* Each rank for itself. */
static StatusCode read_head(const ModelFamilies *families, Model *model, Status *status) {
    if (checkpoint_config(model->file, &families->keys, &model->config, status) ||
        checkpoint_images(model->file, &model->spec, &model->class_names, status))
        return status->code;
    const char *name = config_text(model->config, "run.model");
    model->family = model_family_find(families, name);
    if (!model->family)
        status_set(status, STATUS_FAILED, "%s holds a model of the unknown family %s.", h5_path(model->file),
                   name);
    else if (model->family->take_chosen)
        model->family->take_chosen(model->file, model->config, status);
    return status->code;
}

StatusCode model_open_file(const Context *context, const ModelFamilies *families, const char *path,
                           Model *model, Status *status) {
    *model = (Model){0};
    model_check_there(path, status);
    if (comm_agree(context->comm, status)) return status->code;
    if (checkpoint_open(path, context->comm, &model->file, status)) return status->code;
    if (context->log->speaks && h5_lacks_sum(model->file)) h5_note_missing_sum(path);
    read_head(families, model, status);
    return comm_agree(context->comm, status);
}

static StatusCode apply_settings(const Settings *settings, const Model *model, Status *status) {
    Config *stored = config_copy(model->config);
    for (int i = 0; i < settings->count && !status->code; i++)
        config_set(model->config, settings->items[i], "--set", status);
    const ConfigKey *key = status->code ? NULL : config_difference(stored, model->config);
    if (key && run_key_is_unused(model->config, key->name))
        status_set(status, STATUS_USAGE, "--set %s=%s: %s is of the kind %s, which has no such key.",
                   key->name, config_value(model->config, key->name), h5_path(model->file),
                   model->family->name);
    else if (key && model->family->lacks_key && model->family->lacks_key(model, key->name))
        status_set(
            status, STATUS_USAGE,
            "--set %s=%s: another program trained %s, and its file doesn't say with which %s; how a model "
            "was trained can't be changed.",
            key->name, config_value(model->config, key->name), h5_path(model->file), key->name);
    else if (key)
        status_set(status, STATUS_USAGE,
                   "--set %s=%s: %s was trained with %s=%s; only keys that say how a model is used, such as "
                   "knn.search and cnn.test_shifts, can be changed.",
                   key->name, config_value(model->config, key->name), h5_path(model->file), key->name,
                   config_value(stored, key->name));
    config_destroy(&stored);
    return status->code;
}

StatusCode model_open(const Context *context, const ModelFamilies *families, const char *path,
                      const Settings *settings, Model *model, Status *status) {
    if (model_open_file(context, families, path, model, status)) return status->code;
    apply_settings(settings, model, status);
    if (comm_agree(context->comm, status)) return status->code;
    run_options_apply(model->config, context->comm);
    return model->family->load(model, context, status);
}
