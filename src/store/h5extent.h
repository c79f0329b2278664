/* How long an HDF5 file is, and how long it has to be, by its first bytes: without HDF5, which only says of a
 * shorter one that it can't be opened. */
#ifndef PARDIGITS_STORE_H5EXTENT_H
#define PARDIGITS_STORE_H5EXTENT_H

#include <stdint.h>

typedef struct {
    int64_t bytes, end; /* of the file; where its content ends: 0 if the file doesn't say */
} H5Extent;

H5Extent h5_extent(const char *path);

#endif
