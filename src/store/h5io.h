/* The part of HDF5 that pardigits needs. Only src/store calls HDF5. Names are paths such as
 * "/model/conv1/weight"; missing groups are created. Object times aren't stored, so equal content gives equal
 * files. Errors name the file and the object. Reads and writes do nothing if status already holds a failure,
 * so several can follow one another with one check at the end. */
#ifndef PARDIGITS_STORE_H5IO_H
#define PARDIGITS_STORE_H5IO_H

#include "core/status.h"
#include "parallel/comm.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { H5_U8, H5_I32, H5_U32, H5_I64, H5_U64, H5_F32, H5_F64 } H5Type;

enum { H5_MAX_RANK = 4 };

typedef struct {
    int rank;
    int64_t dims[H5_MAX_RANK];
} H5Shape;

/* How many values an array of this shape has. */
static inline int64_t h5_shape_values(H5Shape shape) {
    int64_t values = 1;
    for (int d = 0; d < shape.rank; d++)
        values *= shape.dims[d];
    return values;
}

static inline bool h5_shape_equal(H5Shape a, H5Shape b) {
    bool equal = a.rank == b.rank;
    for (int d = 0; equal && d < a.rank; d++)
        equal = a.dims[d] == b.dims[d];
    return equal;
}

typedef struct H5File H5File;

/* The version of the HDF5 library, such as 1.10.8. */
void h5_library_version(char *text, int size);

/* At a program's end HDF5 closes what is open once more, which crashes where a close() has failed: after
 * this, which comes before any other call of HDF5, it doesn't. Not for a library, whose program may rely on
 * it. */
void h5_skip_cleanup(void);

/* How HDF5 reports its errors. By default it prints a stack of them; pardigits prints one sentence, so the
 * functions below change that. A library keeps what the program around it has, and gives it back. */
typedef struct {
    void (*report)(void); /* HDF5's own type; NULL: nothing is reported */
    void *context;
    bool old; /* it was set by HDF5's first interface */
} H5Reporting;
H5Reporting h5_replace_reporting(void);
void h5_restore_reporting(const H5Reporting *kept);

/* STATUS_FAILED if an object or a group that it is in is a link to another file, or to nothing. */
StatusCode h5_refuse_links(const H5File *file, const char *name, Status *status);

/* The name of member `number` of a group, in order of their names; NULL: there are fewer. Freed by the caller
 * (mem_free). */
char *h5_member(const H5File *file, const char *group, int64_t number);

/* Creates a new file in memory; h5_close writes it to path. Not collective. */
StatusCode h5_create(H5File **file, const char *path, Status *status);

/* Creates a new file on disk, for arrays of so many bytes together, which needn't be in memory at once.
 * STATUS_FAILED if there is no room for them. If a write fails, the caller removes the file. Not collective.
 */
StatusCode h5_create_streamed(H5File **file, const char *path, int64_t bytes, Status *status);

/* Opens a file for reading, after its checksum (file_sum.h) was verified. Not collective. */
StatusCode h5_open(H5File **file, const char *path, Status *status);

/* The same on all ranks, by `open`, which is h5_open or verifies more: the first rank of each node calls it,
 * the others then open the file as it is. Collective: all ranks agree. */
typedef StatusCode (*H5Open)(H5File **file, const char *path, Status *status);
StatusCode h5_open_together(H5Open open, H5File **file, const char *path, const Comm *comm, Status *status);

/* As h5_open, of a small file, which is read into memory and not kept open, so that the disk has its room
 * again when it is replaced. */
StatusCode h5_open_copy(H5File **file, const char *path, Status *status);

/* Whether a file couldn't be closed, as its last writes failed: HDF5 1.10 frees and keeps it all the same,
 * and crashes in MPI_Finalize. The program has to end without. */
bool h5_is_stuck(void);

/* Whether a file that h5_open opened has no checksum; and the sentence about it, on standard error. */
bool h5_lacks_sum(const H5File *file);
void h5_note_missing_sum(const char *path);

/* Opens a file for reading that h5_open found whole before. With comm: collective, over MPI-IO. With NULL: on
 * this rank only. */
StatusCode h5_open_verified(H5File **file, const char *path, const Comm *comm, Status *status);

/* Closes and clears *file (NULL is allowed). A new file is written to its path now, with a checksum; if
 * status already holds a failure, nothing is written. */
StatusCode h5_close(H5File **file, Status *status);

/* Closes and clears a new file without writing it (NULL is allowed). */
void h5_drop(H5File **file);

const char *h5_path(const H5File *file);

/* The attribute `format` of the file at a path, "" where an HDF5 file has none or is damaged; NULL: it isn't
 * HDF5, or isn't there. Freed by the caller (mem_free). */
char *h5_format(const char *path);

bool h5_exists(const H5File *file, const char *name);

/* Writes a whole array. */
StatusCode h5_write(H5File *file, const char *name, H5Type type, H5Shape shape, const void *data,
                    Status *status);

/* Makes an array of this shape whose rows h5_write_rows writes. */
StatusCode h5_create_rows(H5File *file, const char *name, H5Type type, H5Shape shape, Status *status);

/* Writes data[count][...]: the rows first .. first + count - 1 of the first dimension. */
StatusCode h5_write_rows(H5File *file, const char *name, H5Type type, int64_t first, int64_t count,
                         const void *data, Status *status);

/* The shape of an array. */
StatusCode h5_shape(const H5File *file, const char *name, H5Shape *shape, Status *status);

/* "1300 x 28 x 28", for messages. */
enum { H5_SHAPE_TEXT = 100 };
void h5_print_shape(H5Shape shape, char *text, size_t size);

/* Reads a whole array into data. STATUS_FAILED if its shape isn't `expected`. */
StatusCode h5_read(const H5File *file, const char *name, H5Type type, H5Shape expected, void *data,
                   Status *status);

/* Reads data[count][row_values]: the rows first .. first + count - 1 of the first dimension. Collective if
 * the file was opened with comm: every rank calls it (count may be 0), and all return the same status. */
StatusCode h5_read_rows(const H5File *file, const char *name, H5Type type, int64_t row_values, int64_t first,
                        int64_t count, void *data, Status *status);

/* Attributes of the object `name` ("/" is the file). Writing creates missing groups. */
StatusCode h5_set_i64(H5File *file, const char *name, const char *attribute, int64_t value, Status *status);
StatusCode h5_set_f64(H5File *file, const char *name, const char *attribute, double value, Status *status);
StatusCode h5_set_text(H5File *file, const char *name, const char *attribute, const char *value,
                       Status *status);
bool h5_has_attribute(const H5File *file, const char *name, const char *attribute);
StatusCode h5_get_i64(const H5File *file, const char *name, const char *attribute, int64_t *value,
                      Status *status);
StatusCode h5_get_f64(const H5File *file, const char *name, const char *attribute, double *value,
                      Status *status);
/* *value is freed by the caller (mem_free). */
StatusCode h5_get_text(const H5File *file, const char *name, const char *attribute, char **value,
                       Status *status);

/* The SHA-256 of everything below the groups /config, /images, /model, /optimizer and /state: names, types,
 * shapes, values and attributes, sorted by name, without the keys of /config that don't shape the model
 * and the attributes layout, layers, epsilon and formula of /model, which only explain it.
 * hex[65]. */
StatusCode h5_digest(const H5File *file, char hex[65], Status *status);

/* Calls visit for each group and array below `name`, sorted by name; path starts at the root. */
StatusCode h5_visit(const H5File *file, const char *name,
                    void (*visit)(const char *path, bool is_array, void *context), void *context,
                    Status *status);

#endif
