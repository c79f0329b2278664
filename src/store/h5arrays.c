/* Arrays in HDF5 files: whole, and by rows. */
#include "store/h5internal.h"

#include "core/integers.h"
#include "core/mem.h"

#include <string.h>

enum { CHECKED_BYTES = 1 << 20 }; /* of a block of rows with a checksum */

hid_t h5_memory_type(H5Type type) {
    switch (type) {
    case H5_U8:
        return H5T_NATIVE_UINT8;
    case H5_I32:
        return H5T_NATIVE_INT32;
    case H5_U32:
        return H5T_NATIVE_UINT32;
    case H5_I64:
        return H5T_NATIVE_INT64;
    case H5_U64:
        return H5T_NATIVE_UINT64;
    case H5_F32:
        return H5T_NATIVE_FLOAT;
    case H5_F64:
        return H5T_NATIVE_DOUBLE;
    }
    fatal("h5io: type %d doesn't exist", (int)type);
}

hid_t h5_stored_type(H5Type type) {
    switch (type) {
    case H5_U8:
        return H5T_STD_U8LE;
    case H5_I32:
        return H5T_STD_I32LE;
    case H5_U32:
        return H5T_STD_U32LE;
    case H5_I64:
        return H5T_STD_I64LE;
    case H5_U64:
        return H5T_STD_U64LE;
    case H5_F32:
        return H5T_IEEE_F32LE;
    case H5_F64:
        return H5T_IEEE_F64LE;
    }
    fatal("h5io: type %d doesn't exist", (int)type);
}

bool h5_exists(const H5File *file, const char *name) {
    if (!strcmp(name, "/")) return true;
    char *prefix = mem_text(name);
    bool exists = true;
    for (char *slash = strchr(prefix + 1, '/'); exists && slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        exists = H5Lexists(file->id, prefix, H5P_DEFAULT) > 0;
        *slash = '/';
    }
    exists = exists && H5Lexists(file->id, prefix, H5P_DEFAULT) > 0;
    mem_free(prefix);
    return exists;
}

static StatusCode write_error(const H5File *file, const char *name, Status *status) {
    return status_set(status, STATUS_FAILED, "%s: %s couldn't be written.", file->path, name);
}

void h5_make_groups(const H5File *file, const char *name, bool itself) {
    char *path = mem_text(name);
    hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(creation, false);
    for (char *end = strchr(path + 1, '/');; end = strchr(end + 1, '/')) {
        if (!end && !itself) break;
        if (end) *end = 0;
        if (!h5_exists(file, path)) {
            hid_t group = H5Gcreate2(file->id, path, H5P_DEFAULT, creation, H5P_DEFAULT);
            if (group >= 0) H5Gclose(group);
        }
        if (!end) break;
        *end = '/';
    }
    H5Pclose(creation);
    mem_free(path);
}

/* How an array is stored: without times. From 1 MiB on it is stored in chunks of rows with checksums, which
 * HDF5 verifies when it reads them. */
static hid_t storage_of(H5Type type, H5Shape shape) {
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(creation, false);
    int64_t row_bytes = (int64_t)H5Tget_size(h5_memory_type(type));
    for (int i = 1; i < shape.rank; i++)
        row_bytes *= shape.dims[i];
    if (shape.rank < 1 || row_bytes == 0 || row_bytes > CHECKED_BYTES ||
        shape.dims[0] < divide_up(CHECKED_BYTES, row_bytes))
        return creation;
    hsize_t block[H5_MAX_RANK];
    for (int i = 0; i < shape.rank; i++)
        block[i] = (hsize_t)shape.dims[i];
    block[0] = (hsize_t)(CHECKED_BYTES / row_bytes);
    H5Pset_chunk(creation, shape.rank, block);
    H5Pset_fletcher32(creation);
    return creation;
}

StatusCode h5_write(H5File *file, const char *name, H5Type type, H5Shape shape, const void *data,
                    Status *status) {
    if (status->code) return status->code;
    hsize_t dims[H5_MAX_RANK] = {0};
    for (int i = 0; i < shape.rank; i++)
        dims[i] = (hsize_t)shape.dims[i];
    hid_t space = H5Screate_simple(shape.rank, dims, NULL), creation = storage_of(type, shape);
    h5_make_groups(file, name, false);
    hid_t array = H5Dcreate2(file->id, name, h5_stored_type(type), space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (array < 0 || (data && H5Dwrite(array, h5_memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        write_error(file, name, status);
    if (array >= 0 && H5Dclose(array) < 0) write_error(file, name, status);
    H5Pclose(creation);
    H5Sclose(space);
    return status->code;
}

StatusCode h5_create_rows(H5File *file, const char *name, H5Type type, H5Shape shape, Status *status) {
    return h5_write(file, name, type, shape, NULL, status);
}

StatusCode h5_write_rows(H5File *file, const char *name, H5Type type, int64_t first, int64_t count,
                         const void *data, Status *status) {
    if (status->code || count == 0) return status->code;
    const hid_t array = H5Dopen2(file->id, name, H5P_DEFAULT), in_file = H5Dget_space(array);
    hsize_t block[H5_MAX_RANK] = {0}, start[H5_MAX_RANK] = {(hsize_t)first};
    const int rank = H5Sget_simple_extent_dims(in_file, block, NULL);
    block[0] = (hsize_t)count;
    const hid_t in_memory = H5Screate_simple(rank, block, NULL);
    if (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, block, NULL) < 0 ||
        H5Dwrite(array, h5_memory_type(type), in_memory, in_file, H5P_DEFAULT, data) < 0)
        write_error(file, name, status);
    H5Sclose(in_memory);
    H5Sclose(in_file);
    if (H5Dclose(array) < 0) write_error(file, name, status);
    return status->code;
}

/* How many times more bytes than it takes in the file an array may hold. */
static uint64_t most_compression(hid_t array) {
    enum { DEFLATE = 1100 }; /* a little more than it can reach */
    const hid_t creation = array < 0 ? -1 : H5Dget_create_plist(array);
    if (creation < 0) return 1;
    uint64_t most = 1;
    for (int f = 0; f < H5Pget_nfilters(creation); f++) {
        unsigned flags, config;
        size_t values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(creation, (unsigned)f, &flags, &values, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_FLETCHER32 && filter != H5Z_FILTER_SHUFFLE) most = DEFLATE;
    }
    H5Pclose(creation);
    return most;
}

/* Items of a space, 0 if a dimension is; -1: more than `most`, even if the dimensions that are 0 were 1. HDF5
 * multiplies them modulo 2^64. */
static int64_t count_items(hid_t space, uint64_t most) {
    hsize_t dims[H5S_MAX_RANK] = {0};
    const int rank = H5Sget_simple_extent_ndims(space);
    bool empty = H5Sget_simple_extent_type(space) == H5S_NULL;
    uint64_t items = 1;
    if (rank < 0 || H5Sget_simple_extent_dims(space, dims, NULL) < 0 || most == 0) return -1;
    for (int d = 0; d < rank; d++) {
        empty = empty || dims[d] == 0;
        if (dims[d] > most / items) return -1;
        if (dims[d] > 0) items *= dims[d];
    }
    return empty ? 0 : (int64_t)items;
}

int64_t h5_items_bytes(const H5File *file, hid_t array, hid_t type, hid_t space) {
    hsize_t file_bytes = 0;
    const uint64_t item_bytes = H5Tget_size(type);
    if (item_bytes == 0 || H5Tdetect_class(type, H5T_VLEN) != 0 || H5Tis_variable_str(type) != 0 ||
        H5Fget_filesize(file->id, &file_bytes) < 0)
        return -1;
    const int64_t items = count_items(space, file_bytes * most_compression(array) / item_bytes);
    return items < 0 ? -1 : items * (int64_t)item_bytes;
}

/* Opens an array and gets its shape; negative after an error. */
static hid_t open_array(const H5File *file, const char *name, H5Shape *shape, Status *status) {
    if (status->code) return -1;
    if (!h5_exists(file, name)) {
        status_set(status, STATUS_FAILED,
                   "%s has no %s: it is another kind of file than expected here, or damaged.", file->path,
                   name);
        return -1;
    }
    if (h5_refuse_links(file, name, status)) return -1;
    hid_t array = H5Dopen2(file->id, name, H5P_DEFAULT);
    hid_t space = array < 0 ? -1 : H5Dget_space(array);
    hid_t type = array < 0 ? -1 : H5Dget_type(array);
    int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    const bool fits = type >= 0 && space >= 0 && h5_items_bytes(file, array, type, space) >= 0;
    if (type >= 0) H5Tclose(type);
    h5_refuse_storage(file, name, array, status);
    if (status->code || rank < 0 || rank > H5_MAX_RANK || !fits) {
        if (space >= 0) H5Sclose(space);
        if (array >= 0) H5Dclose(array);
        h5_read_error(file, name, status);
        return -1;
    }
    hsize_t dims[H5_MAX_RANK] = {0};
    H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    *shape = (H5Shape){.rank = rank};
    for (int i = 0; i < rank; i++)
        shape->dims[i] = (int64_t)dims[i];
    return array;
}

StatusCode h5_shape(const H5File *file, const char *name, H5Shape *shape, Status *status) {
    hid_t array = open_array(file, name, shape, status);
    if (array >= 0) H5Dclose(array);
    return status->code;
}

void h5_print_shape(H5Shape shape, char *text, size_t size) {
    size_t used = 0;
    for (int i = 0; i < shape.rank && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%lld", i ? " x " : "", (long long)shape.dims[i]);
    if (!shape.rank) snprintf(text, size, "a single value");
}

/* HDF5 would convert one into the other: a pixel of 0.9 into 0. */
static void check_class(const H5File *file, const char *name, hid_t array, H5Type type, Status *status) {
    if (array < 0) return;
    hid_t stored = H5Dget_type(array);
    if (H5Tget_class(stored) != H5Tget_class(h5_memory_type(type)))
        status_set(status, STATUS_FAILED,
                   "%s: %s doesn't hold %s numbers, which are expected there: convert the array.", file->path,
                   name, H5Tget_class(h5_memory_type(type)) == H5T_INTEGER ? "whole" : "floating-point");
    H5Tclose(stored);
}

/* HDF5 would take the nearest number that fits. */
static H5T_conv_ret_t note_misfit(H5T_conv_except_t kind, hid_t from, hid_t to, void *value, void *converted,
                                  void *misfits) {
    (void)from;
    (void)to;
    (void)value;
    (void)converted;
    if (kind == H5T_CONV_EXCEPT_RANGE_HI || kind == H5T_CONV_EXCEPT_RANGE_LOW) *(bool *)misfits = true;
    return H5T_CONV_UNHANDLED;
}

static const char *const ranges[] = {
    [H5_U8] = "0 to 255",
    [H5_I32] = "32 bits with a sign",
    [H5_U32] = "32 bits without a sign",
    [H5_I64] = "64 bits with a sign",
    [H5_U64] = "64 bits without a sign",
    [H5_F32] = "32-bit floating-point numbers",
    [H5_F64] = "64-bit floating-point numbers",
};

/* What is read of an array: spaces of HDF5. */
typedef struct {
    hid_t in_memory, in_file;
    bool together; /* by all ranks */
} Items;

/* Says why an array couldn't be read: a filter that this HDF5 lacks, or damage. */
static void explain(const H5File *file, hid_t array, const char *name, Status *status) {
    const hid_t creation = H5Dget_create_plist(array);
    for (int f = 0; creation >= 0 && f < H5Pget_nfilters(creation); f++) {
        unsigned flags, config;
        size_t values = 0;
        char filter_name[64] = "";
        const H5Z_filter_t filter = H5Pget_filter2(creation, (unsigned)f, &flags, &values, NULL,
                                                   sizeof filter_name - 1, filter_name, &config);
        if (filter >= 0 && H5Zfilter_avail(filter) <= 0)
            status_set(
                status, STATUS_FAILED,
                "%s: %s is compressed by %s (HDF5 filter %d), which isn't supported here: write it with "
                "gzip, or uncompressed.",
                file->path, name, *filter_name ? filter_name : "another program", (int)filter);
    }
    if (creation >= 0) H5Pclose(creation);
    h5_read_error(file, name, status);
}

/* Fails if an item is out of the type's range. */
static void read_items(const H5File *file, hid_t array, const char *name, H5Type type, const Items *items,
                       void *data, Status *status) {
    bool misfits = false;
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    H5Pset_type_conv_cb(transfer, note_misfit, &misfits);
    if (items->together) H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE);
    if (H5Dread(array, h5_memory_type(type), items->in_memory, items->in_file, transfer, data) < 0)
        explain(file, array, name, status);
    else if (misfits)
        status_set(status, STATUS_FAILED,
                   "%s: %s holds numbers out of the range that is expected there, %s: convert the array.",
                   file->path, name, ranges[type]);
    H5Pclose(transfer);
}

StatusCode h5_read(const H5File *file, const char *name, H5Type type, H5Shape expected, void *data,
                   Status *status) {
    H5Shape shape;
    hid_t array = open_array(file, name, &shape, status);
    check_class(file, name, array, type, status);
    if (array < 0 || status->code) {
        if (array >= 0) H5Dclose(array);
        return status->code;
    }
    if (!h5_shape_equal(shape, expected)) {
        char found[128], wanted[128];
        h5_print_shape(shape, found, sizeof found);
        h5_print_shape(expected, wanted, sizeof wanted);
        status_set(status, STATUS_FAILED,
                   "%s: %s has the shape %s, expected %s: the file is damaged or foreign.", file->path, name,
                   found, wanted);
    } else {
        read_items(file, array, name, type, &(Items){H5S_ALL, H5S_ALL, false}, data, status);
    }
    H5Dclose(array);
    return status->code;
}

/* Fails unless an array of this shape contains rows [first, first + count) of row_values numbers each. */
static void check_rows(const H5File *file, const char *name, H5Shape shape, int64_t row_values, int64_t first,
                       int64_t count, Status *status) {
    int64_t values = shape.rank > 0;
    for (int i = 1; i < shape.rank; i++)
        values *= shape.dims[i];
    if (values != row_values)
        status_set(status, STATUS_FAILED,
                   "%s: %s holds rows of %lld numbers, expected %lld: the file is damaged or foreign.",
                   file->path, name, (long long)values, (long long)row_values);
    else if (first < 0 || count < 0 || first + count > shape.dims[0])
        status_set(status, STATUS_FAILED, "%s: %s has %lld rows, but rows up to %lld are needed.", file->path,
                   name, (long long)shape.dims[0], (long long)(first + count));
}

static void read_selected_rows(const H5File *file, hid_t array, const char *name, H5Type type, H5Shape shape,
                               int64_t first, int64_t count, void *data, Status *status) {
    hsize_t start[H5_MAX_RANK] = {(hsize_t)first}, block[H5_MAX_RANK];
    for (int i = 0; i < shape.rank; i++)
        block[i] = (hsize_t)(i ? shape.dims[i] : count);
    hid_t in_file = H5Dget_space(array), in_memory = H5Screate_simple(shape.rank, block, NULL);
    if (count) {
        H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, block, NULL);
    } else {
        H5Sselect_none(in_file);
        H5Sselect_none(in_memory);
    }
    read_items(file, array, name, type, &(Items){in_memory, in_file, file->comm != NULL}, data, status);
    H5Sclose(in_memory);
    H5Sclose(in_file);
}

StatusCode h5_read_rows(const H5File *file, const char *name, H5Type type, int64_t row_values, int64_t first,
                        int64_t count, void *data, Status *status) {
    enum { AT_A_TIME = 1 << 24 }; /* MPI-IO takes as much memory again, and counts of 32 bits */
    const int64_t row_bytes = row_values * (int64_t)H5Tget_size(h5_memory_type(type));
    const int64_t most = larger(1, AT_A_TIME / larger(1, row_bytes));
    double pieces = (double)divide_up(count, most);
    H5Shape shape = {0};
    hid_t array = open_array(file, name, &shape, status);
    check_class(file, name, array, type, status);
    if (!status->code) check_rows(file, name, shape, row_values, first, count, status);
    if (file->comm) pieces = comm_max(file->comm, pieces, NULL); /* all ranks read as often */
    if (file->comm) comm_agree(file->comm, status);
    const bool readable = !status->code;
    for (int64_t i = 0; readable && i < (int64_t)pieces; i++) {
        const int64_t begin = smaller(i * most, count), size = smaller(most, count - begin);
        read_selected_rows(file, array, name, type, shape, first + begin, size,
                           (char *)data + begin * row_bytes, status);
    }
    if (file->comm) comm_agree(file->comm, status);
    if (array >= 0) H5Dclose(array);
    return status->code;
}
