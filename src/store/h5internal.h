/* Shared by the modules of src/store: HDF5's own handles. */
#ifndef PARDIGITS_STORE_H5INTERNAL_H
#define PARDIGITS_STORE_H5INTERNAL_H

#include "store/h5io.h"

#include <hdf5.h>

struct H5File {
    hid_t id;
    char *path;
    const Comm *comm; /* opened over MPI-IO by these ranks: reads of rows are collective; NULL: serial */
    bool written;     /* being made: in memory until h5_close writes it to path */
};

/* Makes the groups above `name` that are missing, and with itself also that group. */
void h5_make_groups(const H5File *file, const char *name, bool itself);

/* HDF5's name of a type in memory. */
hid_t h5_memory_type(H5Type type);

#endif
