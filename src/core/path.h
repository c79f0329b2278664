/* Names of files and folders. */
#ifndef PARDIGITS_CORE_PATH_H
#define PARDIGITS_CORE_PATH_H

#include <stdbool.h>

/* Whether there is a folder of this name, or a link to one. */
bool path_is_folder(const char *path);

/* Whether a folder has a file of this name. */
bool path_holds(const char *folder, const char *name);

/* Whether both names are of the same file or folder, which is there. */
bool path_is_same(const char *a, const char *b);

/* The last part of a path. */
const char *path_name(const char *path);

/* The folder that a path is in, "." where it names none. Freed by the caller (mem_free). */
char *path_folder(const char *path);

/* Whether both are names of the same file, which needn't be there, but its folder. */
bool path_names_same(const char *a, const char *b);

/* "FOLDER/NAME". Freed by the caller (mem_free). */
char *path_join(const char *folder, const char *name);

#endif
