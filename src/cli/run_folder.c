#include "cli/run_folder.h"

#include "core/config_file.h"
#include "core/mem.h"
#include "core/path.h"
#include "ensemble/families.h"
#include "model/run_options.h"
#include "store/atomic_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

RunFolder run_folder_new(const char *folder) {
    return (RunFolder){mem_text(folder),
                       path_join(folder, "model.h5"),
                       path_join(folder, "model.prev.h5"),
                       path_join(folder, "metrics.h5"),
                       path_join(folder, "config.ini"),
                       {-1, NULL},
                       RUN_START_NEW};
}

void run_folder_free(RunFolder *run) {
    run_lock_release(&run->lock);
    mem_free(run->folder);
    mem_free(run->model);
    mem_free(run->previous);
    mem_free(run->metrics);
    mem_free(run->config);
    *run = (RunFolder){0};
}

/* mkdir -p */
static int make_folders(const char *folder) {
    char *path = mem_text(folder);
    int failed = 0;
    for (char *slash = path + 1; !failed && *slash; slash++) {
        if (*slash != '/') continue;
        *slash = 0;
        failed = mkdir(path, 0777) && errno != EEXIST;
        *slash = '/';
    }
    failed = failed || (mkdir(path, 0777) && errno != EEXIST);
    mem_free(path);
    return failed;
}

bool run_folder_has_leftovers(const RunFolder *run) {
    bool any = false;
    for (int i = 0; i < model_families.count; i++)
        any = any ||
              (model_families.items[i]->has_leftovers && model_families.items[i]->has_leftovers(run->model));
    return any;
}

/* The configuration alone is what a run leaves that failed before it had trained anything. */
static bool holds_run(const RunFolder *run) {
    const char *const files[] = {run->model, run->previous, run->metrics};
    for (int i = 0; i < 3; i++)
        if (access(files[i], F_OK) == 0) return true;
    return run_folder_has_leftovers(run);
}

/* A node that was lost may hold the lock until its server notices. */
static double lock_wait_s(const Config *config) {
    enum { RESTART_S = 120 };
    const int64_t asked = run_options(config).lock_wait_s;
    return asked ? (double)asked : run_lock_is_restart() ? RESTART_S : 0;
}

/* Makes the folder where it is missing, and tries to write in it. `what` and `other` are of the sentence if
 * it can't be written. */
static StatusCode try_folder(const char *folder, const char *what, const char *other, Status *status) {
    char *probe = path_join(folder, ".writable.tmp");
    FILE *file = make_folders(folder) ? NULL : fopen(probe, "w");
    if (!file)
        status_set(status, STATUS_FAILED, "The %s %s can't be written: %s; choose another with %s.", what,
                   folder, strerror(errno), other);
    if (file) fclose(file);
    if (file) unlink(probe);
    mem_free(probe);
    return status->code;
}

enum { RUN_FILES = 4 };

static const char *run_file(const RunFolder *run, int i) {
    const char *const files[RUN_FILES] = {run->model, run->previous, run->metrics, run->config};
    return files[i];
}

void run_folder_settle(const RunFolder *run) {
    const bool stands = access(run->model, F_OK) == 0 || run_folder_has_leftovers(run);
    for (int i = 0; i < RUN_FILES; i++) {
        char *old = atomic_file_replaced(run_file(run, i));
        if (stands)
            unlink(old);
        else
            rename(old, run_file(run, i));
        mem_free(old);
    }
}

/* Whether the run whose files are there was begun with this configuration. */
static bool is_begun_with(const RunFolder *run, const Config *config) {
    Config *begun = config_create(&model_families.keys);
    Status ignored = {0};
    const bool same = access(run->config, F_OK) == 0 && !config_read_file(begun, run->config, &ignored) &&
                      !config_difference(begun, config);
    config_destroy(&begun);
    return same;
}

/* A run that was to replace an old one may have been killed before it had a model. Then the old one comes
 * back, unless it is the new one that is gone on with. */
static void recover_old(const RunFolder *run, const Config *config) {
    char *old = atomic_file_replaced(run->model);
    const bool only_old = access(run->model, F_OK) && access(run->previous, F_OK) && !access(old, F_OK) &&
                          !run_folder_has_leftovers(run);
    if (only_old && !(run->start == RUN_START_RESUME && is_begun_with(run, config))) run_folder_settle(run);
    mem_free(old);
}

static void prepare(RunFolder *run, const Config *config, Log *log, Status *status) {
    if (try_folder(run->folder, "run folder", "--run", status) ||
        run_lock_take(&run->lock, run->folder, lock_wait_s(config), log, status))
        return;
    recover_old(run, config);
    if (run->start == RUN_START_NEW && holds_run(run))
        status_set(status, STATUS_USAGE,
                   "%s holds a run already: use --resume to go on with it or --overwrite to replace it.",
                   run->folder);
}

StatusCode run_folder_prepare(RunFolder *run, RunStart start, const Config *config, const Context *context,
                              Status *status) {
    run->start = start;
    if (comm_rank(context->comm) == 0) prepare(run, config, context->log, status);
    return comm_agree(context->comm, status);
}

StatusCode run_folder_prepare_fallback(const Config *config, const Comm *comm, Status *status) {
    const char *folder = run_options(config).fallback_dir;
    if (*folder && comm_rank(comm) == 0) try_folder(folder, "folder", "run.fallback_dir", status);
    return comm_agree(comm, status);
}

static void remove_leftovers(const RunFolder *run) {
    for (int i = 0; i < model_families.count; i++)
        if (model_families.items[i]->remove_leftovers) model_families.items[i]->remove_leftovers(run->model);
}

void run_folder_tidy(const RunFolder *run) {
    for (int i = 0; i < RUN_FILES; i++) {
        char *temporary = atomic_file_temporary(run_file(run, i));
        unlink(temporary);
        mem_free(temporary);
    }
    unlink(run->previous);
    remove_leftovers(run);
}

StatusCode run_folder_set_aside(const RunFolder *run, bool keep_leftovers, Status *status) {
    const bool has_model = access(run->model, F_OK) == 0 || access(run->previous, F_OK) == 0;
    for (int i = 0; i < RUN_FILES; i++) {
        const char *file = run_file(run, i);
        char *old = atomic_file_replaced(file);
        if ((has_model ? rename(file, old) : unlink(file)) && errno != ENOENT)
            status_set(status, STATUS_FAILED, "%s can't be removed: %s.", file, strerror(errno));
        mem_free(old);
    }
    if (!keep_leftovers) remove_leftovers(run);
    return status->code;
}

StatusCode run_folder_write_config(const RunFolder *run, const Config *config, Status *status) {
    char *temporary = path_join(run->folder, ".config.ini.tmp");
    FILE *file = fopen(temporary, "w");
    bool good = file != NULL;
    if (file) {
        config_write(config, file);
        good = !ferror(file);
        good = fclose(file) == 0 && good && rename(temporary, run->config) == 0;
    }
    if (!good) {
        status_set(status, STATUS_FAILED, "%s can't be written: %s.", run->config, strerror(errno));
        unlink(temporary);
    }
    mem_free(temporary);
    return status->code;
}
