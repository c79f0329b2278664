/* The content of an HDF5 file for numpy.load. */
#ifndef PARDIGITS_STORE_H5NPZ_H
#define PARDIGITS_STORE_H5NPZ_H

#include "store/npz.h"

/* Adds the attributes of a group or array, each a single value: as "model@layers", those of the file itself
 * ("/") as "@format". Not collective. */
StatusCode h5_attributes_to_npz(const H5File *file, const char *name, NpzFile *npz, Status *status);

/* Adds a group with all arrays and attributes below it: an array by its path, as "model/conv1/weight". Not
 * collective. */
StatusCode h5_group_to_npz(const H5File *file, const char *name, NpzFile *npz, Status *status);

#endif
