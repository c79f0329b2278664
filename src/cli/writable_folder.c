#include "cli/writable_folder.h"

#include "core/mem.h"
#include "core/path.h"

#include <errno.h>
#include <stdio.h>
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
