/* Writing files safely: a reader sees the whole new file or the old one, never a partial one. */
#ifndef PARDIGITS_STORE_ATOMIC_FILE_H
#define PARDIGITS_STORE_ATOMIC_FILE_H

#include "core/status.h"
#include "store/run_lock.h"

#include <stdbool.h>
#include <stdio.h>

/* A file that a command writes. */
typedef struct {
    char *path, *temporary; /* what is written until the file is whole */
    RunLock lock;           /* on ".NAME.lock" */
} AtomicFile;

/* Begins a file: another program that writes it now is waited for, and after a minute this one is refused
 * (STATUS_FAILED). What a killed one left is removed. If a signal ends the program, nothing of the file is
 * left. Also after a failure atomic_file_end frees it. Serial. */
StatusCode atomic_file_begin(AtomicFile *file, const char *path, Status *status);

/* Puts the closed temporary file in place (atomic_file_commit); if status holds a failure, removes it. */
StatusCode atomic_file_end(AtomicFile *file, Status *status);

/* The same for a file that its writer has put in place, or removed, itself. */
void atomic_file_let_go(AtomicFile *file);

/* The temporary name for path, in the same folder: ".NAME.tmp". Freed by the caller (mem_free). One left by
 * an earlier crash is overwritten. */
char *atomic_file_temporary(const char *path);

/* The name of the previous copy: "DIR/NAME.prev.h5" for "DIR/NAME.h5". Freed by the caller (mem_free). */
char *atomic_file_previous(const char *path);

/* What a file is called that a new run replaces, until that has a model: ".NAME.old" in its folder, as people
 * call their own copies NAME.old. Freed likewise. */
char *atomic_file_replaced(const char *path);

/* STATUS_USAGE if path exists and isn't a regular file, as writing would replace it. */
StatusCode atomic_file_check_kind(const char *path, Status *status);

/* The same, and STATUS_FAILED if files can't be made in path's folder. For a command to call before it
 * computes what it writes. */
StatusCode atomic_file_check(const char *path, Status *status);

/* Renames the closed file `temporary` to path: fsync, rename, fsync of the folder. If keep_previous is true,
 * the old file is kept as atomic_file_previous(path). Calls atomic_file_check first. */
StatusCode atomic_file_commit(const char *temporary, const char *path, bool keep_previous, Status *status);

/* Writes a text or binary file that appears whole or not at all: write() fills it. Serial. STATUS_FAILED if
 * it can't be written. */
StatusCode atomic_file_write(const char *path, void (*write)(FILE *file, const void *context),
                             const void *context, Status *status);

/* Swaps the names of a damaged file at path and its intact previous copy, so that the next commit replaces
 * the damaged one. If the swap fails, both stay as they are. */
void atomic_file_swap_previous(const char *path);

/* Removes the temporary file after a failure, also in a run's folder that was renamed meanwhile; another
 * run's, which has its name there, stays. */
void atomic_file_discard(const char *temporary);

#endif
