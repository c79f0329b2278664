#include "cli/run_folder.h"

#include "cli/writable_folder.h"

#include "core/config_file.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/text_buffer.h"
#include "ensemble/families.h"
#include "model/run_names.h"
#include "model/run_options.h"
#include "store/atomic_file.h"
#include "store/checkpoint.h"
#include "store/h5io.h"
#include "store/kept_file.h"
#include "store/metrics.h"
#include "store/run_lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

RunFolder run_folder_new(const char *folder) {
    return (RunFolder){mem_text(folder),
                       path_join(folder, RUN_MODEL),
                       path_join(folder, RUN_PREVIOUS),
                       path_join(folder, RUN_METRICS),
                       path_join(folder, RUN_CONFIG),
                       {-1, NULL},
                       RUN_START_NEW,
                       false};
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

/* What stopped runs left beside a model. */
static bool has_leftovers(const char *model) {
    bool any = false;
    for (int i = 0; i < model_families.count; i++)
        any =
            any || (model_families.items[i]->has_leftovers && model_families.items[i]->has_leftovers(model));
    return any;
}

static void remove_leftovers(const char *model) {
    for (int i = 0; i < model_families.count; i++)
        if (model_families.items[i]->remove_leftovers) model_families.items[i]->remove_leftovers(model);
}

static bool move_leftovers(const char *model, const char *to) {
    bool moved = true;
    for (int i = 0; i < model_families.count; i++)
        if (model_families.items[i]->move_leftovers)
            moved = model_families.items[i]->move_leftovers(model, to) && moved;
    return moved;
}

bool run_folder_has_leftovers(const RunFolder *run) {
    return has_leftovers(run->model);
}

/* Of the whole, or of a member. */
static bool has_model(const RunFolder *run) {
    return access(run->model, F_OK) == 0 || access(run->previous, F_OK) == 0 || has_leftovers(run->model);
}

/* The configuration alone is what a run leaves that failed before it had trained anything. */
static bool holds_run(const RunFolder *run) {
    return has_model(run) || access(run->metrics, F_OK) == 0;
}

/* A node that was lost may hold the lock until its server notices. */
static double lock_wait_s(const Config *config) {
    enum { RESTART_S = 120 };
    const int64_t asked = run_options(config).lock_wait_s;
    return asked ? (double)asked : run_lock_is_restart() ? RESTART_S : 0;
}

enum { RUN_FILES = 4 };

static const char *run_file(const RunFolder *run, int i) {
    const char *const files[RUN_FILES] = {run->config, run->model, run->previous, run->metrics};
    return files[i];
}

static void remove_replaced(const RunFolder *run) {
    char *old_model = atomic_file_replaced(run->model);
    for (int i = 0; i < RUN_FILES; i++) {
        char *old = atomic_file_replaced(run_file(run, i));
        unlink(old);
        mem_free(old);
    }
    remove_leftovers(old_model);
    mem_free(old_model);
}

/* The models of members first: a run that has them alone can be gone on with. The configuration last
 * (recover_old). */
static void bring_back_replaced(const RunFolder *run) {
    char *old_model = atomic_file_replaced(run->model);
    move_leftovers(old_model, run->model);
    for (int i = RUN_FILES - 1; i >= 0; i--) {
        char *old = atomic_file_replaced(run_file(run, i));
        rename(old, run_file(run, i));
        mem_free(old);
    }
    mem_free(old_model);
}

/* Whether there is a run that was to be replaced. */
static bool has_replaced(const RunFolder *run) {
    char *model = atomic_file_replaced(run->model), *previous = atomic_file_replaced(run->previous);
    const bool any = access(model, F_OK) == 0 || access(previous, F_OK) == 0 || has_leftovers(model);
    mem_free(previous);
    mem_free(model);
    return any;
}

bool run_folder_settle(const RunFolder *run) {
    if (run_lock_is_lost(run->model)) return false;
    const bool stands = access(run->model, F_OK) == 0 || run_folder_has_leftovers(run),
               comes_back = !stands && has_replaced(run);
    if (stands)
        remove_replaced(run);
    else
        bring_back_replaced(run);
    return comes_back;
}

/* Whether the run whose files are there was begun with this configuration. */
static bool is_begun_with(const RunFolder *run, const Config *config) {
    Config *begun = config_create(&model_families.keys);
    Status ignored = {0};
    const bool same = access(run->config, F_OK) == 0 && !config_read_file(begun, run->config, &ignored) &&
                      !run_difference(begun, config);
    config_destroy(&begun);
    return same;
}

/* A run that was to replace an old one may have been killed before it had a model. Then the old one comes
 * back, unless it is the new one that is gone on with, which has a configuration. */
static void recover_old(const RunFolder *run, const Config *config) {
    char *old_config = atomic_file_replaced(run->config);
    const bool not_begun = access(run->config, F_OK) && rename(old_config, run->config) == 0;
    if (!has_model(run) && has_replaced(run) &&
        (not_begun || run->start != RUN_START_RESUME || !is_begun_with(run, config)))
        run_folder_settle(run);
    mem_free(old_config);
}

bool run_folder_is_file(const char *name) {
    static const char *const names[] = {RUN_MODEL, RUN_PREVIOUS, RUN_METRICS, RUN_CONFIG};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return name[0] == '.' || !strncmp(name, RUN_MEMBER, strlen(RUN_MEMBER));
}

/* Whether a folder is a run's, by other files than the one of this name. */
static bool is_of_run(const RunFolder *run, const char *but) {
    char *lock = path_join(run->folder, RUN_LOCK);
    bool is_run = access(lock, F_OK) == 0 || has_leftovers(run->model) || has_replaced(run);
    for (int i = 0; i < RUN_FILES; i++)
        is_run = is_run || (access(run_file(run, i), F_OK) == 0 && strcmp(path_name(run_file(run, i)), but));
    mem_free(lock);
    return is_run;
}

bool run_folder_holds(const char *path) {
    char *folder = path_folder(path);
    RunFolder run = run_folder_new(folder);
    const bool holds = run_folder_is_file(path_name(path)) && is_of_run(&run, path_name(path));
    run_folder_free(&run);
    mem_free(folder);
    return holds;
}

bool run_folder_would_take(const char *path, bool is_model) {
    const char *name = path_name(path), *dot = strrchr(name, '.');
    return name[0] != '.' && run_folder_is_file(name) && !strcmp(dot, ".h5") &&
           !(is_model && strcmp(name, RUN_METRICS));
}

StatusCode run_folder_check_other(const RunFolder *run, const char *option, const char *path,
                                  const Comm *comm, Status *status) {
    char *folder = path_folder(path);
    if (comm_rank(comm) == 0 && path_is_same(folder, run->folder) && run_folder_is_file(path_name(path)))
        status_set(status, STATUS_USAGE,
                   "%s %s has the name of a file of the run itself: name another file, such as trace.json.",
                   option, path);
    mem_free(folder);
    return comm_agree(comm, status);
}

/* --overwrite replaces a run, not a dataset or the like that has the name of one of its files. */
static void check_replaced(const RunFolder *run, Status *status) {
    const struct {
        const char *path, *format;
    } files[] = {
        {run->model, CHECKPOINT_FORMAT}, {run->previous, CHECKPOINT_FORMAT}, {run->metrics, METRICS_FORMAT}};
    for (int i = 0; i < 3; i++) {
        char *found = h5_format(files[i].path);
        if (found && *found && strcmp(found, files[i].format))
            status_set(status, STATUS_USAGE,
                       "%s is a %s file, which would be lost: give the run another folder by --run.",
                       files[i].path, found);
        mem_free(found);
    }
}

/* Nothing can be read from another kind of file, nor saved in its place. What is no file of metrics is set
 * aside (metrics_aside.h). */
static StatusCode check_kinds(const RunFolder *run, Status *status) {
    const char *const files[] = {run->model, run->previous, run->config};
    for (int i = 0; i < 3 && !status->code; i++) {
        struct stat link, file;
        if (lstat(files[i], &link)) continue;
        const bool leads_nowhere = stat(files[i], &file) != 0;
        if (leads_nowhere || !S_ISREG(file.st_mode))
            status_set(status, STATUS_USAGE,
                       "%s is %s, where the run has a file: move it away, or give the run another folder by "
                       "--run.",
                       files[i],
                       leads_nowhere           ? "a link that leads nowhere"
                       : S_ISDIR(file.st_mode) ? "a folder"
                                               : "a device or a pipe");
    }
    return status->code;
}

static void prepare(RunFolder *run, const Config *config, Log *log, Status *status) {
    if (writable_folder(run->folder, "run folder", "--run", status) ||
        run_lock_take(&run->lock, run->folder, lock_wait_s(config), log, status) || check_kinds(run, status))
        return;
    recover_old(run, config);
    if (run->start == RUN_START_NEW && holds_run(run))
        status_set(status, STATUS_USAGE,
                   "%s holds a run already: use --resume to go on with it or --overwrite to replace it.",
                   run->folder);
    if (run->start == RUN_START_REPLACE) check_replaced(run, status);
}

StatusCode run_folder_prepare(RunFolder *run, RunStart start, const Config *config, const Context *context,
                              Status *status) {
    run->start = start;
    if (comm_rank(context->comm) == 0) prepare(run, config, context->log, status);
    if (!comm_agree(context->comm, status)) run_lock_share(&run->lock, run->folder, context->comm);
    return status->code;
}

void run_folder_tidy(const RunFolder *run) {
    if (run_lock_is_lost(run->model)) return;
    for (int i = 0; i < RUN_FILES; i++) {
        char *temporary = atomic_file_temporary(run_file(run, i));
        unlink(temporary);
        mem_free(temporary);
    }
    unlink(run->previous);
    remove_leftovers(run->model);
}

/* The models of members last: a run that has them alone can be gone on with. The configuration first: without
 * it the new run isn't begun (recover_old). One alone stays until the new one is written: it says which model
 * this run begins with (train_note_init). */
StatusCode run_folder_set_aside(const RunFolder *run, Status *status) {
    const bool stands = has_model(run);
    if (stands) remove_replaced(run); /* of a run before that, which would be mixed with it */
    for (int i = 0; i < RUN_FILES; i++) {
        const char *file = run_file(run, i);
        if (!stands && file == run->config) continue;
        char *old = atomic_file_replaced(file);
        if ((stands ? rename(file, old) : unlink(file)) && errno != ENOENT)
            status_set(status, STATUS_FAILED, "%s can't be removed: %s.", file, strerror(errno));
        mem_free(old);
    }
    char *old_model = atomic_file_replaced(run->model);
    if (!status->code && !move_leftovers(run->model, old_model))
        status_set(status, STATUS_FAILED, "The models of members in %s can't be renamed: %s.", run->folder,
                   strerror(errno));
    mem_free(old_model);
    return status->code;
}

bool run_folder_wrote_config(const RunFolder *run) {
    Config *config = config_create(&model_families.keys);
    Status ignored = {0};
    TextBuffer text;
    text_buffer_init(&text);
    FILE *file = config_read_file(config, run->config, &ignored) ? NULL : fopen(run->config, "r");
    bool same = file != NULL;
    if (same) config_write(config, text.file);
    const char *bytes = text_buffer_text(&text);
    for (size_t b = 0; same && b < text.count; b++)
        same = getc(file) == (unsigned char)bytes[b];
    same = same && getc(file) == EOF;
    if (file) fclose(file);
    text_buffer_free(&text);
    config_destroy(&config);
    return same;
}

StatusCode run_folder_keep_config(const RunFolder *run, Log *log, Status *status) {
    if (access(run->config, F_OK) || run_folder_wrote_config(run)) return status->code;
    char *kept = kept_file_path(run->config, "kept");
    if (!kept)
        status_set(status, STATUS_FAILED,
                   "%s isn't as train writes it, and can't be kept beside it: %d such files are there "
                   "already; remove some.",
                   run->config, KEPT_FILES_MOST);
    else if (link(run->config, kept) && rename(run->config, kept))
        status_set(status, STATUS_FAILED, "%s can't be renamed to %s: %s.", run->config, kept,
                   strerror(errno));
    else
        log_line(log, "%s isn't as train writes it: it is kept as %s", run->config, kept);
    mem_free(kept);
    return status->code;
}

StatusCode run_folder_write_config(const RunFolder *run, const Config *config, Status *status) {
    if (run_lock_check(run->model, status)) return status->code;
    char *temporary = atomic_file_temporary(run->config);
    FILE *file = fopen(temporary, "w");
    bool good = file != NULL;
    if (file) {
        config_write(config, file);
        good = !ferror(file);
        good = fclose(file) == 0 && good;
    }
    if (!good) status_set(status, STATUS_FAILED, "%s can't be written: %s.", run->config, strerror(errno));
    if (status->code || atomic_file_commit(temporary, run->config, false, status))
        atomic_file_discard(temporary);
    mem_free(temporary);
    return status->code;
}
