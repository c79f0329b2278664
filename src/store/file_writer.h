/* Whether another program has a file open for writing, as HDF5's locks tell. */
#ifndef PARDIGITS_STORE_FILE_WRITER_H
#define PARDIGITS_STORE_FILE_WRITER_H

#include "core/status.h"

/* STATUS_FAILED if so: asked before a file that can't be read is called damaged. */
StatusCode file_writer_refuse(const char *path, Status *status);

#endif
