#include "core/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *regular_file_open(const char *path, const char **reason) {
    struct stat facts;
    const int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *file = NULL;
    if (descriptor < 0 || fstat(descriptor, &facts) < 0)
        *reason = strerror(errno);
    else if (!S_ISREG(facts.st_mode))
        *reason = S_ISDIR(facts.st_mode) ? "it is a folder" : "it is a device or a pipe";
    else if (!(file = fdopen(descriptor, "r")))
        *reason = strerror(errno);
    if (!file && descriptor >= 0) close(descriptor);
    return file;
}

FILE *regular_file_open_text(const char *path, const char **reason) {
    FILE *file = regular_file_open(path, reason);
    char begin[3];
    if (file && (fread(begin, 1, 3, file) != 3 || memcmp(begin, "\xef\xbb\xbf", 3))) rewind(file);
    return file;
}

bool regular_file_write(int descriptor, const void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        const ssize_t wrote = write(descriptor, (const char *)bytes + done, count - done);
        if (wrote == 0) errno = EIO;
        if (wrote == 0 || (wrote < 0 && errno != EINTR)) return false;
        if (wrote > 0) done += (size_t)wrote;
    }
    return true;
}
