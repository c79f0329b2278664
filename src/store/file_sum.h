/* A checksum over all bytes of a file, kept as its last bytes: "pardigits sha256", the number of bytes before
 * (64 bits, little endian), 8 bytes of 0, and their SHA-256. HDF5 and other readers don't look behind their
 * own end of the file. It is there to find accidents, not forgeries. */
#ifndef PARDIGITS_STORE_FILE_SUM_H
#define PARDIGITS_STORE_FILE_SUM_H

#include "core/status.h"

#include <stdbool.h>

/* Appends the checksum to a file that has none. Not collective, as the other. */
StatusCode file_sum_append(const char *path, Status *status);

/* Reads the whole file. STATUS_FAILED if it can't be read, is no regular file, or doesn't fit its checksum.
 * *has_sum is false if it has none. */
StatusCode file_sum_verify(const char *path, bool *has_sum, Status *status);

/* What tells a file from others without reading all of it: a hash of its size, its first and its last bytes,
 * with the checksum if it has one. hex[65]. STATUS_FAILED if it can't be read. */
StatusCode file_sum_identity(const char *path, char hex[65], Status *status);

/* Whether a file has one; it isn't compared. */
bool file_sum_is_there(const char *path);

#endif
