/* Files of named arrays for numpy.load (.npz): a ZIP archive, by libzip, of arrays in NumPy's own format,
 * version 1.0 (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Serial. Calls do nothing if
 * status already holds a failure, so several can follow one another with one check at the end. */
#ifndef PARDIGITS_STORE_NPZ_H
#define PARDIGITS_STORE_NPZ_H

#include "store/h5io.h"

typedef struct NpzFile NpzFile;

/* A new file, in memory; npz_write ends it. STATUS_FAILED if libzip can't make one. */
StatusCode npz_create(NpzFile **file, Status *status);

/* Adds a copy of an array. Rank 0 of the shape: a single value. */
StatusCode npz_add(NpzFile *file, const char *name, H5Type type, H5Shape shape, const void *data,
                   Status *status);

/* Adds a text in UTF-8 as a single value, which numpy reads as str. */
StatusCode npz_add_text(NpzFile *file, const char *name, const char *text, Status *status);

/* Writes the file to path, whole or not at all; if status already holds a failure, nothing. Frees and clears
 * *file (NULL is allowed). */
StatusCode npz_write(NpzFile **file, const char *path, Status *status);

#endif
