#include "cli/writable_folder.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/sha256.h"
#include "model/run_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

StatusCode writable_folder(const char *folder, const char *what, const char *other, Status *status) {
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

enum { FALLBACK_NAME = 224 }; /* of the 255 bytes that a name can have */

/* Such as "cnn-1f6ae60c". The host counts: each may have a folder of that name on a disk of its own. */
static void name_fallback(const char *run, char name[FALLBACK_NAME]) {
    char host[256] = "", digest[65];
    char *whole = realpath(run, NULL);
    const char *path = whole ? whole : run;
    Sha256 hash;
    if (gethostname(host, sizeof host - 1)) *host = 0;
    sha256_begin(&hash);
    sha256_add(&hash, host, strlen(host) + 1);
    sha256_add(&hash, path, strlen(path));
    sha256_end(&hash, digest);
    snprintf(name, FALLBACK_NAME, "%.200s-%.8s", path_name(path), digest);
    free(whole);
}

StatusCode writable_folder_fallback(const char *run, const Config *config, const Comm *comm, char **model,
                                    Status *status) {
    const char *folder = run_options(config).fallback_dir;
    char name[FALLBACK_NAME + sizeof "/model.h5"] = "";
    *model = NULL;
    if (!*folder) return status->code;
    if (comm_rank(comm) == 0) {
        name_fallback(run, name);
        strcat(name, "/model.h5");
        writable_folder(folder, "folder", "run.fallback_dir", status);
    }
    comm_broadcast(comm, name, sizeof name, 0);
    *model = path_join(folder, name);
    return comm_agree(comm, status);
}
