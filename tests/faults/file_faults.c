/* A library for LD_PRELOAD that lets operations on files fail, or kills the process at one: what a full disk,
 * a quota, a lost server or a power failure do, at a place that can be chosen. Used by
 * tests/faults/faults.py.
 *
 * Operations are counted from 1 in each process: opening for writing, writing, syncing, truncating and
 * closing of files below FILE_FAULTS_FOLDER, and renaming, linking and removing their names. FILE_FAULTS_AT
 * is the first that fails, FILE_FAULTS_LAST the last, FILE_FAULTS_DO what happens: the number of an error
 * (errno), 0 for a short write, -1 for SIGKILL, and such as -15 for that signal, after which the operation is
 * done if the process goes on. A file that can't be closed is closed all the same, as on
 * Linux. With FILE_FAULTS_COUNTS=FILE a process adds a line to FILE when it ends: how many operations it did.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 4096, SHORT_WRITE = 0, KILL = -1 };

static atomic_bool watched[MAX_DESCRIPTORS];
static atomic_long operations;

static long number(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

static bool below_folder(const char *path) {
    const char *folder = getenv("FILE_FAULTS_FOLDER");
    return folder && path && !strncmp(path, folder, strlen(folder));
}

static bool is_watched(int descriptor) {
    return descriptor >= 0 && descriptor < MAX_DESCRIPTORS && watched[descriptor];
}

static void watch(int descriptor, bool on) {
    if (descriptor >= 0 && descriptor < MAX_DESCRIPTORS) watched[descriptor] = on;
}

/* Counts an operation. True if it is to fail; then errno is set, or 0 for a short write. */
static bool fails(void) {
    const long at = ++operations, first = number("FILE_FAULTS_AT", LONG_MAX);
    if (at < first || at > number("FILE_FAULTS_LAST", LONG_MAX)) return false;
    const long what = number("FILE_FAULTS_DO", EIO);
    if (what < 0) raise(what == KILL ? SIGKILL : (int)-what);
    errno = (int)what;
    return what >= 0;
}

static bool path_fails(const char *path) {
    return below_folder(path) && fails() && errno != SHORT_WRITE;
}

static bool descriptor_fails(int descriptor) {
    return is_watched(descriptor) && fails() && errno != SHORT_WRITE;
}

__attribute__((destructor)) static void tell_count(void) {
    const char *path = getenv("FILE_FAULTS_COUNTS");
    FILE *file = path && operations ? fopen(path, "a") : NULL;
    if (!file) return;
    fprintf(file, "%ld\n", (long)operations);
    fclose(file);
}

/* The function of that name which this library hides. */
#define HIDDEN(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

static int open_watched(int (*hidden)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    const bool counts = flags & (O_WRONLY | O_RDWR | O_CREAT) && below_folder(path);
    if (counts && fails() && errno != SHORT_WRITE) return -1;
    const int descriptor = hidden(path, flags, mode);
    watch(descriptor, counts);
    return descriptor;
}

#define OPEN(name)                                                                                           \
    int name(const char *path, int flags, ...) {                                                             \
        va_list more;                                                                                        \
        va_start(more, flags);                                                                               \
        const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                        \
        va_end(more);                                                                                        \
        return open_watched(HIDDEN(name), path, flags, mode);                                                \
    }
OPEN(open)
OPEN(open64)

#define FOPEN(name)                                                                                          \
    FILE *name(const char *path, const char *mode) {                                                         \
        const bool counts = mode[0] != 'r' && below_folder(path);                                            \
        if (counts && fails() && errno != SHORT_WRITE) return NULL;                                          \
        FILE *file = HIDDEN(name)(path, mode);                                                               \
        if (file) watch(fileno(file), counts);                                                               \
        return file;                                                                                         \
    }
FOPEN(fopen)
FOPEN(fopen64)

int fclose(FILE *file) {
    const int descriptor = fileno(file);
    const bool failed = descriptor_fails(descriptor);
    const int reason = errno;
    watch(descriptor, false);
    const int result = HIDDEN(fclose)(file);
    if (failed) errno = reason;
    return failed ? EOF : result;
}

/* How many of `size` bytes are written: all, some, or -1 for none. */
static ssize_t allowed(int descriptor, size_t size) {
    if (!is_watched(descriptor) || !fails()) return (ssize_t)size;
    if (errno != SHORT_WRITE) return -1;
    return size > 1 ? (ssize_t)(size / 2) : (ssize_t)size;
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    const ssize_t some = allowed(descriptor, size);
    return some < 0 ? -1 : HIDDEN(write)(descriptor, bytes, (size_t)some);
}

#define PWRITE(name, offset_type)                                                                            \
    ssize_t name(int descriptor, const void *bytes, size_t size, offset_type offset) {                       \
        const ssize_t some = allowed(descriptor, size);                                                      \
        return some < 0 ? -1 : HIDDEN(name)(descriptor, bytes, (size_t)some, offset);                        \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

int close(int descriptor) {
    const bool failed = descriptor_fails(descriptor);
    const int reason = errno;
    watch(descriptor, false);
    const int result = HIDDEN(close)(descriptor);
    if (failed) errno = reason;
    return failed ? -1 : result;
}

int fsync(int descriptor) {
    return descriptor_fails(descriptor) ? -1 : HIDDEN(fsync)(descriptor);
}

int fdatasync(int descriptor) {
    return descriptor_fails(descriptor) ? -1 : HIDDEN(fdatasync)(descriptor);
}

int ftruncate(int descriptor, off_t size) {
    return descriptor_fails(descriptor) ? -1 : HIDDEN(ftruncate)(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) {
    return descriptor_fails(descriptor) ? -1 : HIDDEN(ftruncate64)(descriptor, size);
}

int rename(const char *from, const char *to) {
    return path_fails(to) ? -1 : HIDDEN(rename)(from, to);
}

int link(const char *from, const char *to) {
    return path_fails(to) ? -1 : HIDDEN(link)(from, to);
}

int unlink(const char *path) {
    return path_fails(path) ? -1 : HIDDEN(unlink)(path);
}
