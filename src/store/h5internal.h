/* Shared by the modules of src/store: HDF5's own handles. */
#ifndef PARDIGITS_H5INTERNAL_H
#define PARDIGITS_H5INTERNAL_H

#include "pardigits/h5io.h"

#include <hdf5.h>

struct H5File {
    hid_t id;
    char *path;
    const Comm *comm; /* opened over MPI-IO by these ranks: reads of rows are collective; NULL: serial */
    bool written;     /* being made: in memory until h5_close writes it to path */
};

/* HDF5's name of a type in memory. */
hid_t h5_memory_type(H5Type type);

#endif
