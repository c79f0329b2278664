#include "store/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <unistd.h>

/* HDF5 locks a file that it writes for itself alone. */
static bool is_written(const char *path) {
    const int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const bool locked = descriptor >= 0 && flock(descriptor, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    if (descriptor >= 0) close(descriptor);
    return locked;
}

StatusCode file_writer_refuse(const char *path, Status *status) {
    if (!status->code && is_written(path))
        status_set(status, STATUS_FAILED,
                   "%s can't be read, as another program has it open for writing: wait until it is closed "
                   "there.",
                   path);
    return status->code;
}
