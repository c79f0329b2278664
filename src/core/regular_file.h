/* Opening of files that people name, and writing. */
#ifndef PARDIGITS_CORE_REGULAR_FILE_H
#define PARDIGITS_CORE_REGULAR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Opens a file for reading, closed by the caller. NULL if it can't be opened or is no regular file: a pipe
 * would wait for a writer, a device never end. *reason then says why, for a sentence such as "X can't be
 * read: REASON." */
FILE *regular_file_open(const char *path, const char **reason);

/* The same for a text, behind the byte order mark that some editors begin UTF-8 with. */
FILE *regular_file_open_text(const char *path, const char **reason);

/* write() of all bytes [count], also where signals interrupt it; false: errno says why. */
bool regular_file_write(int descriptor, const void *bytes, size_t count);

#endif
