/* Why HDF5 failed: its stack of errors tells too little memory and errors of the system from damage. */
#include "store/h5internal.h"

#include <stdlib.h>
#include <string.h>

/* Of the last call of HDF5 that failed. */
static _Thread_local struct {
    bool memory; /* some was refused */
    int error;   /* errno of a read, or 0 */
} last;

static herr_t note_cause(unsigned n, const H5E_error2_t *error, void *context) {
    (void)n;
    (void)context;
    const char *number = error->desc ? strstr(error->desc, "errno = ") : NULL;
    if (error->min_num == H5E_NOSPACE || error->min_num == H5E_CANTALLOC) last.memory = true;
    if (number && error->min_num == H5E_READERROR) last.error = (int)strtol(number + 8, NULL, 10);
    return 0;
}

static herr_t note_failure(hid_t stack, void *context) {
    last.memory = false;
    last.error = 0;
    return H5Ewalk2(stack, H5E_WALK_UPWARD, note_cause, context);
}

void h5_note_failures(void) {
    H5Eset_auto2(H5E_DEFAULT, note_failure, NULL);
}

bool h5_lacked_memory(void) {
    return last.memory;
}

/* What a damaged file says of its sizes may be more than there is memory for; one that matches its checksum
 * isn't damaged. */
StatusCode h5_read_error(const H5File *file, const char *what, Status *status) {
    const char *why = "the file is damaged";
    if (last.memory)
        why = file->lacks_sum ? "there isn't enough memory, or the file is damaged"
                              : "there isn't enough memory";
    else if (last.error)
        why = strerror(last.error);
    status_set(status, STATUS_FAILED, "%s: %s couldn't be read: %s.", file->path, what, why);
    last.memory = false;
    last.error = 0;
    return status->code;
}
