/* HDF5's own handles, for the modules of src/store. */
#ifndef PARDIGITS_STORE_H5INTERNAL_H
#define PARDIGITS_STORE_H5INTERNAL_H

#include "store/h5io.h"

#include <hdf5.h>

struct H5File {
    hid_t id;
    char *path;
    const Comm *comm; /* the ranks that opened it over MPI-IO: reading rows is collective; NULL: serial */
    bool written;     /* a new file: in memory until h5_close writes it to path */
    bool streamed;    /* a new file on disk */
    bool lacks_sum;   /* it was opened, and has no checksum */
};

/* Creates the missing parent groups of `name`; if itself is true, also `name` as a group. */
void h5_make_groups(const H5File *file, const char *name, bool itself);

/* Bytes of all items of a type in a space; -1 if the file can't hold them, or they aren't plain bytes. What a
 * damaged file says of its sizes is never asked of memory. array: whose filters may compress; or negative. */
int64_t h5_items_bytes(const H5File *file, hid_t array, hid_t type, hid_t space);

/* Keeps HDF5 from printing its errors, and notes why its calls fail; called before any file is opened. */
void h5_note_failures(void);

/* If a file couldn't be opened because HDF5, in this thread, was refused memory: whether there is too little
 * of it, or the file is damaged and made HDF5 ask for too much, in words; or else NULL. */
const char *h5_open_lacked_memory(const char *path);

/* "FILE: WHAT couldn't be read: " and why, of the last call of HDF5 that failed. */
StatusCode h5_read_error(const H5File *file, const char *what, Status *status);

/* STATUS_FAILED if what an open array (negative: none) holds is in other files, or of no fixed size. */
StatusCode h5_refuse_storage(const H5File *file, const char *name, hid_t array, Status *status);

/* HDF5's identifiers of a type in memory and in a file. */
hid_t h5_memory_type(H5Type type);
hid_t h5_stored_type(H5Type type);

#endif
