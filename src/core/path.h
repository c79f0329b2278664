/* Names of files and folders. */
#ifndef PARDIGITS_CORE_PATH_H
#define PARDIGITS_CORE_PATH_H

#include <stdbool.h>

/* Whether there is a folder of this name, or a link to one. */
bool path_is_folder(const char *path);

/* "FOLDER/NAME". Freed by the caller (mem_free). */
char *path_join(const char *folder, const char *name);

#endif
