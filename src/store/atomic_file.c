#include "store/atomic_file.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "parallel/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ".NAME.ENDING" in the folder of NAME. */
static char *hidden_name(const char *path, const char *ending) {
    const int folder = (int)(path_name(path) - path);
    const size_t size = strlen(path) + strlen(ending) + 3;
    char *hidden = mem_new(size, 1);
    snprintf(hidden, size, "%.*s.%s.%s", folder, path, path + folder, ending);
    return hidden;
}

char *atomic_file_temporary(const char *path) {
    return hidden_name(path, "tmp");
}

char *atomic_file_previous(const char *path) {
    size_t stem = strlen(path), size = stem + 9;
    if (stem > 3 && !strcmp(path + stem - 3, ".h5")) stem -= 3;
    char *previous = mem_new(size, 1);
    snprintf(previous, size, "%.*s.prev.h5", (int)stem, path);
    return previous;
}

char *atomic_file_replaced(const char *path) {
    return hidden_name(path, "old");
}

enum { WAIT_S = 60 }; /* for another program that writes the file */

StatusCode atomic_file_begin(AtomicFile *file, const char *path, Status *status) {
    char *lock = hidden_name(path, "lock");
    Log log = log_create(0);
    *file = (AtomicFile){mem_text(path), atomic_file_temporary(path), {-1, NULL}};
    stop_hold();
    if (!run_lock_check(path, status) && !run_lock_take_file(&file->lock, lock, path, WAIT_S, &log, status)) {
        unlink(file->temporary);
        stop_note_unfinished(file->temporary);
        if (file->lock.path) stop_note_unfinished(file->lock.path);
    } else {
        mem_free(file->temporary); /* nothing is to be written, or by another program */
        file->temporary = NULL;
    }
    stop_release();
    mem_free(lock);
    return status->code;
}

void atomic_file_let_go(AtomicFile *file) {
    stop_hold();
    stop_forget_unfinished(file->temporary);
    stop_forget_unfinished(file->lock.path);
    if (file->lock.path) run_lock_release(&file->lock);
    stop_release();
    mem_free(file->temporary);
    mem_free(file->path);
    *file = (AtomicFile){.lock = {-1, NULL}};
}

StatusCode atomic_file_end(AtomicFile *file, Status *status) {
    stop_hold();
    if (!status->code && file->temporary) atomic_file_commit(file->temporary, file->path, false, status);
    if (status->code && file->temporary) atomic_file_discard(file->temporary);
    atomic_file_let_go(file);
    stop_release();
    return status->code;
}

static int sync_path(const char *path, int flags) {
    int descriptor = open(path, flags);
    if (descriptor < 0) return -1;
    int result = fsync(descriptor);
    /* some file systems can't sync a folder: that isn't a failure */
    if (result < 0 && (flags & O_DIRECTORY) && (errno == EINVAL || errno == ENOTSUP)) result = 0;
    int reason = errno;
    close(descriptor);
    errno = reason;
    return result;
}

static int sync_folder_of(const char *path) {
    char *folder = path_folder(path);
    int result = sync_path(folder, O_RDONLY | O_DIRECTORY);
    mem_free(folder);
    return result;
}

static StatusCode check_folder(const char *path, Status *status) {
    char *folder = path_folder(path);
    if (access(folder, W_OK | X_OK) < 0)
        status_set(status, STATUS_FAILED, "%s can't be written: %s.", path, strerror(errno));
    mem_free(folder);
    return status->code;
}

StatusCode atomic_file_check_kind(const char *path, Status *status) {
    struct stat there;
    if (status->code || stat(path, &there) < 0 || S_ISREG(there.st_mode)) return status->code;
    return status_set(status, STATUS_USAGE, "%s is %s: name a file to be written.", path,
                      S_ISDIR(there.st_mode) ? "a folder" : "a device or a pipe");
}

/* "" and "-" are what scripts and habits make of "no file" and "standard output". */
static StatusCode check_name(const char *path, Status *status) {
    if (!*path)
        status_set(status, STATUS_USAGE, "The name of a file to be written is empty: name a file.");
    else if (!strcmp(path, "-"))
        status_set(status, STATUS_USAGE,
                   "- doesn't stand for standard output here: name a file to be written (./- is one, too).");
    return status->code;
}

StatusCode atomic_file_check(const char *path, Status *status) {
    if (status->code || check_name(path, status) || atomic_file_check_kind(path, status)) return status->code;
    return check_folder(path, status);
}

/* Makes the name of the previous copy a hard link to the file at path, so that both names always lead to a
 * whole file. */
static StatusCode keep_as_previous(const char *path, Status *status) {
    char *previous = atomic_file_previous(path), *fresh = atomic_file_temporary(previous);
    unlink(fresh);
    if (link(path, fresh) < 0 ? rename(path, previous) < 0 : rename(fresh, previous) < 0)
        status_set(status, STATUS_FAILED, "%s couldn't be renamed to %s: %s.", path, previous,
                   strerror(errno));
    atomic_file_discard(fresh); /* there if previous was a link to this file: then the rename did nothing */
    mem_free(fresh);
    mem_free(previous);
    return status->code;
}

StatusCode atomic_file_commit(const char *temporary, const char *path, bool keep_previous, Status *status) {
    if (atomic_file_check(path, status) || run_lock_check(path, status)) return status->code;
    const bool synced = sync_path(temporary, O_RDONLY) == 0;
    if (synced && keep_previous && access(path, F_OK) == 0 && keep_as_previous(path, status))
        return status->code;
    if (!synced || rename(temporary, path) < 0 || sync_folder_of(path) < 0)
        status_set(status, STATUS_FAILED, "%s couldn't be put in place: %s.", path, strerror(errno));
    return status->code;
}

void atomic_file_swap_previous(const char *path) {
    char *previous = atomic_file_previous(path), *aside = atomic_file_temporary(previous);
    unlink(aside);
    if (link(path, aside) == 0 || rename(path, aside) == 0)
        rename(aside, rename(previous, path) ? path : previous);
    unlink(aside); /* still there if it is a link to path */
    mem_free(aside);
    mem_free(previous);
}

void atomic_file_discard(const char *temporary) {
    char *present = run_lock_present(temporary);
    if (present || !run_lock_is_lost(temporary)) unlink(present ? present : temporary);
    mem_free(present);
}

StatusCode atomic_file_write(const char *path, void (*write)(FILE *file, const void *context),
                             const void *context, Status *status) {
    AtomicFile whole;
    FILE *file = atomic_file_begin(&whole, path, status) ? NULL : fopen(whole.temporary, "w");
    bool good = file != NULL;
    if (file) {
        write(file, context);
        good = !ferror(file);
        good = fclose(file) == 0 && good;
    }
    if (!good && !status->code)
        status_set(status, STATUS_FAILED, "%s can't be written: %s.", path, strerror(errno));
    return atomic_file_end(&whole, status);
}
