#include "store/h5npz.h"

#include "core/mem.h"
#include "store/h5internal.h"

typedef struct {
    const H5File *file;
    NpzFile *npz;
    const char *path; /* of the object whose attributes are added, or NULL */
    Status *status;
} Copy;

/* Of the numbers that an array holds; false: they are of no type that we write. */
static bool find_type(hid_t stored, H5Type *type) {
    for (int t = H5_U8; t <= H5_F64; t++)
        if (H5Tequal(stored, h5_stored_type((H5Type)t)) > 0) {
            *type = (H5Type)t;
            return true;
        }
    return false;
}

static StatusCode array_type(const H5File *file, const char *path, H5Type *type, Status *status) {
    const hid_t array = H5Dopen2(file->id, path, H5P_DEFAULT), stored = array < 0 ? -1 : H5Dget_type(array);
    if (stored < 0)
        h5_read_error(file, path, status);
    else if (!find_type(stored, type))
        status_set(status, STATUS_FAILED, "%s: %s holds what NumPy's files can't.", file->path, path);
    if (stored >= 0) H5Tclose(stored);
    if (array >= 0) H5Dclose(array);
    return status->code;
}

static void add_array(const Copy *copy, const char *path) {
    H5Type type = H5_U8;
    H5Shape shape;
    if (array_type(copy->file, path, &type, copy->status) || h5_shape(copy->file, path, &shape, copy->status))
        return;
    void *data = mem_new((size_t)h5_shape_values(shape), H5Tget_size(h5_memory_type(type)));
    h5_read(copy->file, path, type, shape, data, copy->status);
    npz_add(copy->npz, path + 1, type, shape, data, copy->status);
    mem_free(data);
}

static void add_text(const Copy *copy, const char *attribute, const char *name) {
    char *text = NULL;
    if (!h5_get_text(copy->file, copy->path, attribute, &text, copy->status))
        npz_add_text(copy->npz, name, text, copy->status);
    mem_free(text);
}

static herr_t add_attribute(hid_t object, const char *attribute, const H5A_info_t *info, void *context) {
    (void)info;
    const Copy *copy = context;
    const hid_t id = H5Aopen(object, attribute, H5P_DEFAULT), type = H5Aget_type(id);
    char *name = mem_format("%s@%s", copy->path + 1, attribute);
    double real;
    int64_t whole;
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        h5_get_i64(copy->file, copy->path, attribute, &whole, copy->status);
        npz_add(copy->npz, name, H5_I64, (H5Shape){0}, &whole, copy->status);
        break;
    case H5T_FLOAT:
        h5_get_f64(copy->file, copy->path, attribute, &real, copy->status);
        npz_add(copy->npz, name, H5_F64, (H5Shape){0}, &real, copy->status);
        break;
    default:
        add_text(copy, attribute, name);
    }
    mem_free(name);
    H5Tclose(type);
    H5Aclose(id);
    return 0;
}

StatusCode h5_attributes_to_npz(const H5File *file, const char *name, NpzFile *npz, Status *status) {
    Copy copy = {file, npz, name, status};
    hsize_t start = 0;
    if (!status->code && H5Aiterate_by_name(file->id, name, H5_INDEX_NAME, H5_ITER_INC, &start, add_attribute,
                                            &copy, H5P_DEFAULT) < 0)
        h5_read_error(file, name, status);
    return status->code;
}

static void add_object(const char *path, bool is_array, void *context) {
    const Copy *copy = context;
    if (copy->status->code) return;
    if (is_array) add_array(copy, path);
    h5_attributes_to_npz(copy->file, path, copy->npz, copy->status);
}

StatusCode h5_group_to_npz(const H5File *file, const char *name, NpzFile *npz, Status *status) {
    Copy copy = {file, npz, NULL, status};
    h5_attributes_to_npz(file, name, npz, status);
    return h5_visit(file, name, add_object, &copy, status);
}
