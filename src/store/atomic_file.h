/* Files that appear under their final names whole or not at all. */
#ifndef PARDIGITS_STORE_ATOMIC_FILE_H
#define PARDIGITS_STORE_ATOMIC_FILE_H

#include "core/status.h"

#include <stdbool.h>

/* The temporary name for path, in the same folder: ".NAME.tmp". Freed by the caller (mem_free). A stale one
 * of an earlier crash is simply written over. */
char *atomic_file_temporary(const char *path);

/* "DIR/NAME.prev.h5" for "DIR/NAME.h5". Freed by the caller. */
char *atomic_file_previous(const char *path);

/* STATUS_USAGE if something other than a regular file is in the place of path: it would be replaced. */
StatusCode atomic_file_check(const char *path, Status *status);

/* Puts the closed file `temporary` in the place of path: fsync, rename, fsync of the folder. With
 * keep_previous the file that was there gets the name atomic_file_previous(path). Checks path first. */
StatusCode atomic_file_commit(const char *temporary, const char *path, bool keep_previous, Status *status);

/* The file at path, which turned out to be damaged, and the one before it, which is whole, change names, so
 * that the next commit replaces the damaged one. Where that can't be done they stay as they are. */
void atomic_file_swap_previous(const char *path);

/* Removes the temporary after a failure. */
void atomic_file_discard(const char *temporary);

#endif
