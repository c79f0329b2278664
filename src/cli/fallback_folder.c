#include "cli/fallback_folder.h"

#include "cli/writable_folder.h"

#include "core/host.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/sha256.h"
#include "ensemble/families.h"
#include "model/run_names.h"
#include "model/run_options.h"
#include "store/checkpoint.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME = 224, /* of the 255 bytes that a name can have */ LIST = 160 };

/* Such as "cnn-1f6ae60c". The host counts: each may have a folder of that name on a disk of its own. */
static void name_folder(const char *run, char name[NAME]) {
    char host[HOST_NAME], digest[65];
    char *whole = realpath(run, NULL);
    const char *path = whole ? whole : run;
    Sha256 hash;
    host_name(host);
    sha256_begin(&hash);
    sha256_add(&hash, host, strlen(host) + 1);
    sha256_add(&hash, path, strlen(path));
    sha256_end(&hash, digest);
    snprintf(name, NAME, "%.200s-%.8s", path_name(path), digest);
    free(whole);
}

StatusCode fallback_folder_open(const RunFolder *run, const Config *config, const Comm *comm, char **model,
                                Status *status) {
    const char *folder = run_options(config).fallback_dir;
    char name[NAME + sizeof "/" RUN_MODEL] = "";
    *model = NULL;
    if (!*folder) return status->code;
    if (comm_rank(comm) == 0) {
        name_folder(run->folder, name);
        strcat(name, "/" RUN_MODEL);
        writable_folder(folder, "folder", "run.fallback_dir", status);
    }
    comm_broadcast(comm, name, sizeof name, 0);
    *model = path_join(folder, name);
    return comm_agree(comm, status);
}

static int is_kept(const struct dirent *entry) {
    const size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 3 && !strcmp(entry->d_name + length - 3, ".h5");
}

/* The models and metrics in a folder, such as "metrics.h5, model.h5"; "" for none. */
static void list_files(const char *folder, char list[LIST]) {
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_kept, alphasort);
    size_t used = 0;
    *list = 0;
    for (int i = 0; i < count; i++) {
        if (used < LIST)
            used += (size_t)snprintf(list + used, LIST - used, "%s%s", i ? ", " : "", entries[i]->d_name);
        free(entries[i]);
    }
    if (used >= LIST) snprintf(list + LIST - sizeof ", ...", sizeof ", ...", ", ...");
    free(entries);
}

/* The configuration of a model; NULL where there is none, or none that can be read. */
static Config *read_config(const char *model) {
    H5File *file = NULL;
    Config *config = NULL;
    Status ignored = {0};
    if (access(model, F_OK) == 0 && !checkpoint_open_alone(&file, model, &ignored))
        checkpoint_config(file, &model_families.keys, &config, &ignored);
    h5_close(&file, &ignored);
    return config;
}

/* Whether the run's folder holds a model that those in the fallback folder don't go with: another run's than
 * the whole model there or, where only members are there, than this one. */
static bool holds_other_run(const RunFolder *run, const Config *config, const char *fallback) {
    Config *there = read_config(run->model), *saved = read_config(fallback);
    const bool other = there && run_difference(saved ? saved : config, there);
    config_destroy(&saved);
    config_destroy(&there);
    return other;
}

/* Whether a name is another one that this run's folder may have had: its digits differ. */
static bool is_namesake(const char *name, const char *own) {
    const size_t digits = 8, stem = strlen(own) - digits;
    return !strncmp(name, own, stem) && strspn(name + stem, "0123456789abcdef") == digits &&
           strcmp(name, own) != 0;
}

/* Names what a run of this name saved on another host, or when its folder lay elsewhere. own: its folder. */
static void note_namesakes(const RunFolder *run, const char *own, Log *log) {
    char list[LIST], *all = path_folder(own);
    DIR *listed = opendir(all);
    for (struct dirent *entry; listed && (entry = readdir(listed));) {
        if (!is_namesake(entry->d_name, path_name(own))) continue;
        char *other = path_join(all, entry->d_name);
        list_files(other, list);
        if (*list)
            log_line(log,
                     "note: %s holds what a run of this name saved, maybe this one on another host: if so, "
                     "stop, move its files (%s) to %s and run again with --resume",
                     other, list, run->folder);
        mem_free(other);
    }
    if (listed) closedir(listed);
    mem_free(all);
}

StatusCode fallback_folder_check(const RunFolder *run, const Config *config, const char *model,
                                 const Comm *comm, Log *log, Status *status) {
    char list[LIST] = "";
    int any = 0;
    if (!model) return status->code;
    char *folder = path_folder(model);
    if (comm_rank(comm) == 0) list_files(folder, list);
    if (comm_rank(comm) == 0) note_namesakes(run, folder, log);
    any = *list != 0;
    comm_broadcast(comm, &any, sizeof any, 0);
    if (any) *status = (Status){0};
    if (any && comm_rank(comm) == 0)
        status_set(status, STATUS_USAGE,
                   "%s holds what an earlier start of a run in %s saved there (%s): %smove these files to %s "
                   "and run again with --resume, or remove these.",
                   folder, run->folder, list,
                   holds_other_run(run, config, model)
                       ? "move the run folder's own files away first, as they are another run's; then "
                       : "",
                   run->folder);
    mem_free(folder);
    return comm_agree(comm, status);
}

void fallback_folder_explain(const RunFolder *run, const char *model, Status *status) {
    char list[LIST] = "";
    if (!model || status->code != STATUS_FAILED) return;
    char *folder = path_folder(model);
    list_files(folder, list);
    mem_free(folder);
    if (!*list) return;
    const Status first = *status;
    *status = (Status){0};
    status_set(
        status, first.code,
        "%.700s Before that, move the files of %.200s away: the run that this one was to replace is there "
        "again.",
        first.text, run->folder);
}
