/* Files that a run has no use for, but a person may: they get names of their own beside it, as metrics.h5
 * becomes metrics.damaged.h5, and the next one metrics.damaged-2.h5. None replaces an earlier one. */
#ifndef PARDIGITS_STORE_KEPT_FILE_H
#define PARDIGITS_STORE_KEPT_FILE_H

#include <stdbool.h>

enum { KEPT_FILES_MOST = 20 };

/* The first such name of a file that is free, as "damaged"; NULL: so many files are kept already. Freed by
 * the caller. */
char *kept_file_path(const char *path, const char *as);

/* Renames the file so. The name, freed by the caller; NULL: it couldn't be, and the file is where it was. */
char *kept_file_set_aside(const char *path, const char *as);

/* Whether a file's name is such a one. */
bool kept_file_is(const char *name, const char *as);

#endif
