/* A mutator for HDF5 files. Random bytes mostly spoil what HDF5's library checks by itself (and crash it: it
 * isn't made for hostile files), so here the objects change: values, shapes, types, attributes, names. The
 * result is an HDF5 file that is whole; fuzz_write_summed gives it the checksum that a file of ours has.
 * FUZZ_BYTES=1 in the environment changes bytes instead. */
#include "fuzz/h5_mutator.h"

#include "core/mem.h"
#include "fuzz/fuzz.h"
#include "store/file_sum.h"

#include <hdf5.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OBJECTS = 256, NAME_BYTES = 128, MOST_DIMS = 5, MOST_VALUE = 1 << 16, GROW = 1 << 12 };

/* A file under change, and its objects: paths in the order of their names. */
typedef struct {
    hid_t file;
    unsigned seed;
    int count;
    char path[MOST_OBJECTS][NAME_BYTES];
} Edit;

static unsigned draw(Edit *edit, unsigned below) {
    edit->seed = edit->seed * 1664525u + 1013904223u;
    return (edit->seed >> 8) % below;
}

static herr_t take_link(hid_t group, const char *name, const H5L_info_t *info, void *context) {
    (void)group;
    (void)info;
    Edit *edit = context;
    if (edit->count < MOST_OBJECTS && strlen(name) < NAME_BYTES) strcpy(edit->path[edit->count++], name);
    return 0;
}

/* A number that programs like to forget. */
static uint64_t odd_number(Edit *edit) {
    static const uint64_t numbers[] = {
        0,          1,           2,          3,          7,          8,          9,         10,
        64,         65,          255,        256,        257,        1000,       65535,     65536,
        0x7fffffff, 0x80000000u, UINT32_MAX, 1ull << 32, 1ull << 40, 1ull << 61, INT64_MAX, UINT64_MAX};
    return numbers[draw(edit, sizeof numbers / sizeof *numbers)];
}

static double odd_real(Edit *edit) {
    static const double numbers[] = {0,      -0.0, 1,     -1,       0.5,       1e-300, 1e300,
                                     -1e300, 1e10, 1e-40, INFINITY, -INFINITY, NAN};
    return numbers[draw(edit, sizeof numbers / sizeof *numbers)];
}

/* A type, closed by the caller: mostly that which stood there. */
static hid_t odd_type(Edit *edit, hid_t stored) {
    const hid_t types[] = {H5T_STD_U8LE,  H5T_STD_I8LE,   H5T_STD_I64LE,
                           H5T_STD_U64BE, H5T_IEEE_F32LE, H5T_IEEE_F64BE};
    const unsigned which = draw(edit, 16);
    if (which < 6) return H5Tcopy(types[which]);
    if (which > 9) return H5Tcopy(stored);
    if (which == 6) return H5Tvlen_create(H5T_STD_I32LE);
    if (which == 7) return H5Tarray_create2(H5T_STD_I32LE, 1, (hsize_t[]){1 + draw(edit, 100)});
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, which == 8 ? H5T_VARIABLE : 1 + draw(edit, 300));
    return text;
}

/* A space with one or several sides of the stored one changed. */
static hid_t odd_space(Edit *edit, hid_t stored) {
    hsize_t dims[H5S_MAX_RANK] = {0};
    int rank = stored < 0 ? 1 : H5Sget_simple_extent_dims(stored, dims, NULL);
    if (rank < 0 || rank > MOST_DIMS || draw(edit, 6) == 0) rank = (int)draw(edit, MOST_DIMS + 1);
    for (int d = 0; d < rank; d++) {
        const unsigned how = draw(edit, 6);
        if (how == 0) dims[d] = odd_number(edit);
        if (how == 1) dims[d]++;
        if (how == 2 && dims[d]) dims[d]--;
        if (how == 3) dims[d] *= 2;
    }
    return draw(edit, 20) ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_NULL);
}

/* Chunks let a file say any size, because what wasn't written takes no room. */
static hid_t odd_storage(Edit *edit, hid_t space) {
    const hid_t storage = H5Pcreate(H5P_DATASET_CREATE);
    const int rank = H5Sget_simple_extent_ndims(space);
    hsize_t chunk[H5S_MAX_RANK];
    for (int d = 0; d < rank; d++)
        chunk[d] = 1 + draw(edit, 8);
    if (rank > 0 && draw(edit, 3)) H5Pset_chunk(storage, rank, chunk);
    if (rank > 0 && draw(edit, 4) == 0) H5Pset_deflate(storage, 1);
    return storage;
}

/* Replaces an array by one of another shape or type, with the same values as far as HDF5 can convert them. */
static void change_array(Edit *edit, const char *path) {
    const hid_t old = H5Dopen2(edit->file, path, H5P_DEFAULT);
    if (old < 0) return;
    const hid_t type = H5Dget_type(old), space = H5Dget_space(old), new_type = odd_type(edit, type),
                new_space = odd_space(edit, space), storage = odd_storage(edit, new_space);
    H5Dclose(old);
    H5Ldelete(edit->file, path, H5P_DEFAULT);
    const hid_t array = H5Dcreate2(edit->file, path, new_type, new_space, H5P_DEFAULT, storage, H5P_DEFAULT);
    const hssize_t items = H5Sget_simple_extent_npoints(new_space);
    const bool variable = H5Tdetect_class(new_type, H5T_VLEN) > 0 || H5Tis_variable_str(new_type) > 0;
    if (array >= 0 && !variable && items > 0 && items < MOST_VALUE / (hssize_t)H5Tget_size(new_type) &&
        draw(edit, 2)) {
        uint8_t *values = mem_new((size_t)items, H5Tget_size(new_type));
        memset(values, (int)draw(edit, 256), (size_t)items * H5Tget_size(new_type));
        H5Dwrite(array, new_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        mem_free(values);
    }
    if (array >= 0) H5Dclose(array);
    H5Pclose(storage);
    H5Sclose(new_space);
    H5Tclose(new_type);
    H5Sclose(space);
    H5Tclose(type);
}

/* Writes odd numbers over some of the values. */
static void change_values(Edit *edit, const char *path) {
    const hid_t array = H5Dopen2(edit->file, path, H5P_DEFAULT);
    if (array < 0) return;
    const hid_t type = H5Dget_type(array), space = H5Dget_space(array);
    const size_t bytes = H5Tget_size(type);
    const hssize_t items = H5Sget_simple_extent_npoints(space);
    const bool variable = H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0;
    if (!variable && items > 0 && items < MOST_VALUE && (uint64_t)items * bytes < 16 * MOST_VALUE) {
        uint8_t *values = mem_new((size_t)items, bytes);
        H5Dread(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        for (unsigned n = 1 + draw(edit, 4); n > 0; n--) {
            const double real = odd_real(edit);
            const float single = (float)real;
            const uint64_t whole = odd_number(edit);
            const bool floats = H5Tget_class(type) == H5T_FLOAT;
            const void *value = !floats ? (const void *)&whole : bytes == 4 ? (const void *)&single : &real;
            memcpy(values + draw(edit, (unsigned)items) * bytes, value,
                   bytes < sizeof whole ? bytes : sizeof whole);
        }
        H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        mem_free(values);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(array);
}

static void write_attribute(hid_t object, const char *name, hid_t type, hid_t space, const void *value) {
    H5Adelete(object, name);
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0) return;
    if (value) H5Awrite(attribute, type, value);
    H5Aclose(attribute);
}

/* Text that libFuzzer has changed, in a type of its own length. */
static void change_text(Edit *edit, hid_t object, const char *name, const char *old, size_t length) {
    static const char *const words[] = {"0",    "-1",  "1e300",         "4294967297",
                                        "auto", "",    "yes",           "knn",
                                        "svm",  "cnn", "dense:classes", "conv:64:3 relu pool:2 dense:classes",
                                        "none"};
    enum { ROOM = 4096 };
    uint8_t text[ROOM] = {0};
    size_t bytes = length < ROOM / 2 ? length : ROOM / 2;
    memcpy(text, old, bytes);
    if (draw(edit, 2)) {
        bytes = LLVMFuzzerMutate(text, bytes, ROOM / 2);
    } else {
        const char *word = words[draw(edit, sizeof words / sizeof *words)];
        bytes = strlen(word);
        memcpy(text, word, bytes);
    }
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, bytes ? bytes : 1);
    H5Tset_strpad(type, draw(edit, 4) ? H5T_STR_NULLPAD : H5T_STR_SPACEPAD);
    write_attribute(object, name, type, space, text);
    H5Sclose(space);
    H5Tclose(type);
}

static void change_number(Edit *edit, hid_t object, const char *name, hid_t stored, hid_t space) {
    const uint64_t whole = odd_number(edit);
    const double real = odd_real(edit);
    const bool floats = H5Tget_class(stored) == H5T_FLOAT;
    if (H5Sget_simple_extent_npoints(space) == 1 && draw(edit, 8)) {
        write_attribute(object, name, floats ? H5T_IEEE_F64LE : H5T_STD_I64LE, space,
                        floats ? (const void *)&real : &whole);
        return;
    }
    const hid_t type = odd_type(edit, stored), shape = odd_space(edit, space);
    write_attribute(object, name, type, shape, NULL);
    H5Sclose(shape);
    H5Tclose(type);
}

static void change_attribute(Edit *edit, const char *path) {
    const hid_t object = H5Oopen(edit->file, path, H5P_DEFAULT);
    const int count = object < 0 ? 0 : H5Aget_num_attrs(object);
    char name[NAME_BYTES] = "", value[MOST_VALUE / 16 + 1] = "";
    if (count > 0 && draw(edit, 12) == 0) /* one more */
        change_text(edit, object, "another", "text", 4);
    if (count > 0 && H5Aget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, draw(edit, (unsigned)count),
                                        name, sizeof name, H5P_DEFAULT) > 0) {
        const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute),
                    space = H5Aget_space(attribute);
        const bool text = H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type) &&
                          H5Aget_storage_size(attribute) < sizeof value;
        if (text) H5Aread(attribute, type, value);
        const size_t length = text ? strlen(value) : 0;
        H5Aclose(attribute);
        if (draw(edit, 12) == 0)
            H5Adelete(object, name);
        else if (text && draw(edit, 8))
            change_text(edit, object, name, value, length);
        else
            change_number(edit, object, name, type, space);
        H5Sclose(space);
        H5Tclose(type);
    }
    if (object >= 0) H5Oclose(object);
}

static void change_links(Edit *edit, const char *path) {
    const char *other = edit->path[draw(edit, (unsigned)edit->count)];
    char added[2 * NAME_BYTES];
    snprintf(added, sizeof added, "%s/more", other);
    switch (draw(edit, 5)) {
    case 0:
        H5Ldelete(edit->file, path, H5P_DEFAULT);
        break;
    case 1: /* a circle, if the other is below */
        H5Lcreate_hard(edit->file, path, edit->file, added, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 2:
        H5Lcreate_soft(draw(edit, 2) ? "/nowhere" : "/", edit->file, added, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 3:
        H5Lmove(edit->file, path, edit->file, added, H5P_DEFAULT, H5P_DEFAULT);
        break;
    default:
        H5Ldelete(edit->file, path, H5P_DEFAULT);
        const hid_t group = H5Gcreate2(edit->file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (group >= 0) H5Gclose(group);
    }
}

static void change_once(Edit *edit) {
    edit->count = 0;
    strcpy(edit->path[edit->count++], "/");
    H5Lvisit(edit->file, H5_INDEX_NAME, H5_ITER_INC, take_link, edit);
    const char *path = edit->path[draw(edit, (unsigned)edit->count)];
    const unsigned what = draw(edit, 10);
    if (what < 5)
        change_attribute(edit, path);
    else if (what < 7)
        change_values(edit, path);
    else if (what < 9)
        change_array(edit, path);
    else if (strcmp(path, "/"))
        change_links(edit, path);
}

/* Opens an image in memory; negative if HDF5 can't. */
static hid_t open_image(const uint8_t *data, size_t size) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    uint8_t *copy = mem_copy(data, size);
    H5Pset_fapl_core(access, GROW, false);
    H5Pset_file_image(access, copy, size);
    const hid_t file = H5Fopen("image", H5F_ACC_RDWR, access);
    H5Pclose(access);
    mem_free(copy);
    return file;
}

/* The file as it stands, without the room that it may grow into: its end is where its header says. */
static size_t take_image(hid_t file, uint8_t *data, size_t most) {
    enum { END_AT = 40 }; /* in a superblock of version 0 */
    const ssize_t bytes = H5Fget_file_image(file, NULL, 0);
    if (bytes <= END_AT + (ssize_t)sizeof(uint64_t)) return 0;
    uint8_t *image = mem_new((size_t)bytes, 1);
    uint64_t end = 0;
    H5Fget_file_image(file, image, (size_t)bytes);
    memcpy(&end, image + END_AT, sizeof end);
    if (end > (uint64_t)bytes) end = (uint64_t)bytes;
    if (end <= most)
        memcpy(data, image, end);
    else
        end = 0;
    mem_free(image);
    return end;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    if (getenv("FUZZ_BYTES")) return LLVMFuzzerMutate(data, size, most);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    Edit *edit = mem_new(1, sizeof *edit);
    edit->seed = seed;
    edit->file = size ? open_image(data, size) : -1;
    size_t bytes = 0;
    if (edit->file >= 0) {
        for (unsigned n = 1 + draw(edit, 3); n > 0; n--)
            change_once(edit);
        H5Fflush(edit->file, H5F_SCOPE_GLOBAL);
        bytes = take_image(edit->file, data, most);
        H5Fclose(edit->file);
    }
    mem_free(edit);
    return bytes ? bytes : size;
}

char *fuzz_write_summed(const char *name, const uint8_t *data, size_t size) {
    Status status = {0};
    char *path = fuzz_write(name, data, size);
    file_sum_append(path, &status);
    fuzz_require(!status.code, "a file can be given its checksum");
    return path;
}
