/* Shared by the modules of src/store: HDF5's own handles. */
#ifndef PARDIGITS_H5INTERNAL_H
#define PARDIGITS_H5INTERNAL_H

#include "pardigits/h5io.h"

#include <hdf5.h>

struct H5File {
    hid_t id;
    char *path;
    bool parallel; /* opened over MPI-IO: reads of rows are collective */
};

/* HDF5's name of a type in memory. */
hid_t h5_memory_type(H5Type type);

#endif
