#include "store/npz.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "store/atomic_file.h"

#include <stdio.h>
#include <string.h>
#include <zip.h>

struct NpzFile {
    zip_t *archive;
    zip_source_t *bytes; /* of the whole file, once the archive is closed */
    void **arrays;       /* [count] what the archive takes when it is closed */
    size_t count;
};

static StatusCode write_error(const char *what, const char *reason, Status *status) {
    return status_set(status, STATUS_FAILED, "%s couldn't be made for NumPy: %s.", what, reason);
}

StatusCode npz_create(NpzFile **file, Status *status) {
    *file = NULL;
    if (status->code) return status->code;
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *bytes = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *archive = bytes ? zip_open_from_source(bytes, ZIP_TRUNCATE, &error) : NULL;
    if (!archive) {
        write_error("a file", zip_error_strerror(&error), status);
        zip_source_free(bytes);
    } else {
        zip_source_keep(bytes); /* closing the archive would free it */
        *file = mem_copy(&(NpzFile){.archive = archive, .bytes = bytes}, sizeof **file);
    }
    zip_error_fini(&error);
    return status->code;
}

/* What the format calls a type of little-endian numbers, and its bytes. */
typedef struct {
    const char *name;
    size_t bytes;
} NumpyType;

static NumpyType numpy_type(H5Type type) {
    static const NumpyType types[] = {
        [H5_U8] = {"|u1", 1},  [H5_I32] = {"<i4", 4}, [H5_U32] = {"<u4", 4}, [H5_I64] = {"<i8", 8},
        [H5_U64] = {"<u8", 8}, [H5_F32] = {"<f4", 4}, [H5_F64] = {"<f8", 8}};
    return types[type];
}

/* The header of an array: text[NPY_HEADER], of which the bytes given back are used, a multiple of 64. */
enum { NPY_HEADER = 256 };
static size_t write_header(char *text, NumpyType type, H5Shape shape) {
    static const char magic[] = "\x93NUMPY\x01\x00";
    const size_t before = 10; /* the magic, the version and the length of what follows */
    size_t used = before + (size_t)snprintf(text + before, NPY_HEADER - before,
                                            "{'descr': '%s', 'fortran_order': False, 'shape': (", type.name);
    for (int i = 0; i < shape.rank; i++)
        used += (size_t)snprintf(text + used, NPY_HEADER - used, "%lld,%s", (long long)shape.dims[i],
                                 i + 1 < shape.rank ? " " : "");
    used += (size_t)snprintf(text + used, NPY_HEADER - used, "), }");
    while ((used + 1) % 64)
        text[used++] = ' ';
    text[used++] = '\n';
    memcpy(text, magic, 8);
    text[8] = (char)((used - before) & 255);
    text[9] = (char)((used - before) >> 8);
    return used;
}

static StatusCode add(NpzFile *file, const char *name, NumpyType type, H5Shape shape, const void *data,
                      Status *status) {
    const unsigned first_day = 1 << 5 | 1; /* January 1st, 1980: equal content gives equal files */
    char header[NPY_HEADER];
    const size_t begin = write_header(header, type, shape),
                 length = (size_t)h5_shape_values(shape) * type.bytes;
    char *bytes = mem_new(begin + length, 1), *entry = mem_format("%s.npy", name);
    memcpy(bytes, header, begin);
    if (length) memcpy(bytes + begin, data, length);
    file->arrays = mem_grow(file->arrays, file->count, sizeof *file->arrays);
    file->arrays[file->count++] = bytes;
    zip_source_t *source = zip_source_buffer(file->archive, bytes, begin + length, 0);
    const zip_int64_t index = source ? zip_file_add(file->archive, entry, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) zip_source_free(source);
    if (index < 0 || zip_set_file_compression(file->archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) ||
        zip_file_set_dostime(file->archive, (zip_uint64_t)index, 0, first_day, 0))
        write_error(name, zip_strerror(file->archive), status);
    mem_free(entry);
    return status->code;
}

StatusCode npz_add(NpzFile *file, const char *name, H5Type type, H5Shape shape, const void *data,
                   Status *status) {
    return status->code ? status->code : add(file, name, numpy_type(type), shape, data, status);
}

StatusCode npz_add_text(NpzFile *file, const char *name, const char *text, Status *status) {
    if (status->code) return status->code;
    char *valid = utf8_copy(text), type[24];
    uint32_t *points = mem_new((size_t)utf8_length(valid) + 1, sizeof *points);
    const int length =
        (int)larger(utf8_points(valid, points), 1); /* numpy has no texts of length 0, but cuts zeros off */
    snprintf(type, sizeof type, "<U%d", length);
    add(file, name, (NumpyType){type, sizeof *points * (size_t)length}, (H5Shape){0}, points, status);
    mem_free(points);
    mem_free(valid);
    return status->code;
}

static void write_bytes(FILE *out, const void *context) {
    zip_source_t *bytes = (zip_source_t *)(uintptr_t)context;
    char block[1 << 16];
    zip_int64_t got;
    while ((got = zip_source_read(bytes, block, sizeof block)) > 0)
        fwrite(block, 1, (size_t)got, out);
}

StatusCode npz_write(NpzFile **file, const char *path, Status *status) {
    NpzFile *whole = *file;
    if (!whole) return status->code;
    *file = NULL;
    if (status->code)
        zip_discard(whole->archive);
    else if (zip_close(whole->archive)) {
        write_error(path, zip_strerror(whole->archive), status);
        zip_discard(whole->archive);
    } else if (zip_source_open(whole->bytes)) {
        write_error(path, zip_error_strerror(zip_source_error(whole->bytes)), status);
    } else {
        atomic_file_write(path, write_bytes, whole->bytes, status);
        zip_source_close(whole->bytes);
    }
    zip_source_free(whole->bytes);
    for (size_t i = 0; i < whole->count; i++)
        mem_free(whole->arrays[i]);
    mem_free(whole->arrays);
    mem_free(whole);
    return status->code;
}
