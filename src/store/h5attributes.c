/* Attributes of the objects of a file: single numbers and texts. */
#include "store/h5internal.h"

#include "core/mem.h"

#include <string.h>

/* The object that an attribute belongs to; negative if there is none. */
static hid_t open_object(const H5File *file, const char *name) {
    return h5_exists(file, name) ? H5Oopen(file->id, name, H5P_DEFAULT) : -1;
}

static StatusCode set_attribute(H5File *file, const char *name, const char *attribute, hid_t stored,
                                hid_t memory, const void *value, Status *status) {
    if (status->code) return status->code;
    h5_make_groups(file, name, true);
    hid_t object = open_object(file, name), space = H5Screate(H5S_SCALAR);
    if (object >= 0 && H5Aexists(object, attribute) > 0) H5Adelete(object, attribute);
    hid_t id = object < 0 ? -1 : H5Acreate2(object, attribute, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || H5Awrite(id, memory, value) < 0)
        status_set(status, STATUS_FAILED, "%s: attribute %s of %s couldn't be written.", file->path,
                   attribute, name);
    if (id >= 0) H5Aclose(id);
    H5Sclose(space);
    if (object >= 0) H5Oclose(object);
    return status->code;
}

StatusCode h5_set_i64(H5File *file, const char *name, const char *attribute, int64_t value, Status *status) {
    return set_attribute(file, name, attribute, H5T_STD_I64LE, H5T_NATIVE_INT64, &value, status);
}

StatusCode h5_set_f64(H5File *file, const char *name, const char *attribute, double value, Status *status) {
    return set_attribute(file, name, attribute, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value, status);
}

static hid_t text_type(size_t bytes) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, bytes ? bytes : 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    return type;
}

StatusCode h5_set_text(H5File *file, const char *name, const char *attribute, const char *value,
                       Status *status) {
    hid_t type = text_type(strlen(value));
    set_attribute(file, name, attribute, type, type, value, status);
    H5Tclose(type);
    return status->code;
}

bool h5_has_attribute(const H5File *file, const char *name, const char *attribute) {
    return h5_exists(file, name) && H5Aexists_by_name(file->id, name, attribute, H5P_DEFAULT) > 0;
}

/* Opens an attribute, which must be a single value of the given class; negative after an error. */
static hid_t open_attribute(const H5File *file, const char *name, const char *attribute, H5T_class_t class,
                            Status *status) {
    if (status->code) return -1;
    hid_t id = h5_has_attribute(file, name, attribute)
                   ? H5Aopen_by_name(file->id, name, attribute, H5P_DEFAULT, H5P_DEFAULT)
                   : -1;
    hid_t type = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
    bool good =
        type >= 0 && H5Tget_class(type) == class && space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    if (good) return id;
    if (id >= 0) H5Aclose(id);
    if (!h5_has_attribute(file, name, attribute))
        status_set(status, STATUS_FAILED,
                   "%s: attribute %s of %s is missing: it is another kind of file than expected here.",
                   file->path, attribute, name);
    else
        status_set(status, STATUS_FAILED, "%s: attribute %s of %s isn't a single %s, as expected there.",
                   file->path, attribute, name,
                   class == H5T_INTEGER ? "whole number"
                   : class == H5T_FLOAT ? "floating-point number"
                                        : "text");
    return -1;
}

static StatusCode attribute_error(const H5File *file, const char *name, const char *attribute,
                                  Status *status) {
    char what[512];
    snprintf(what, sizeof what, "attribute %s of %s", attribute, name);
    return h5_read_error(file, what, status);
}

static StatusCode get_number(const H5File *file, const char *name, const char *attribute, H5T_class_t class,
                             hid_t memory, void *value, Status *status) {
    hid_t id = open_attribute(file, name, attribute, class, status);
    if (id < 0) return status->code;
    if (H5Aread(id, memory, value) < 0) attribute_error(file, name, attribute, status);
    H5Aclose(id);
    return status->code;
}

StatusCode h5_get_i64(const H5File *file, const char *name, const char *attribute, int64_t *value,
                      Status *status) {
    return get_number(file, name, attribute, H5T_INTEGER, H5T_NATIVE_INT64, value, status);
}

StatusCode h5_get_f64(const H5File *file, const char *name, const char *attribute, double *value,
                      Status *status) {
    return get_number(file, name, attribute, H5T_FLOAT, H5T_NATIVE_DOUBLE, value, status);
}

/* Texts as pardigits writes them. NULL: it can't be read. */
static char *read_fixed_text(hid_t id, hid_t stored) {
    const size_t bytes = H5Tget_size(stored);
    hid_t type = text_type(bytes);
    H5Tset_cset(type, H5Tget_cset(stored));
    char *value = mem_new(bytes + 1, 1);
    if (H5Aread(id, type, value) < 0) {
        mem_free(value);
        value = NULL;
    }
    H5Tclose(type);
    return value;
}

/* Texts as h5py writes them, in memory of HDF5's. */
static char *read_variable_text(hid_t id, hid_t stored) {
    char *text = NULL;
    if (H5Aread(id, stored, &text) < 0) return NULL;
    char *value = mem_text(text ? text : "");
    H5free_memory(text);
    return value;
}

StatusCode h5_get_text(const H5File *file, const char *name, const char *attribute, char **value,
                       Status *status) {
    *value = NULL;
    hid_t id = open_attribute(file, name, attribute, H5T_STRING, status);
    if (id < 0) return status->code;
    hid_t stored = H5Aget_type(id);
    *value = H5Tis_variable_str(stored) > 0 ? read_variable_text(id, stored) : read_fixed_text(id, stored);
    if (!*value) attribute_error(file, name, attribute, status);
    H5Tclose(stored);
    H5Aclose(id);
    return status->code;
}
