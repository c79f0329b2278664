/* The digest of a model's content, and the walk over the objects of a file. */
#include "store/h5internal.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/sha256.h"
#include "store/config_store.h"

#include <string.h>

/* The work keys of older files, which don't list them. */
#define FIRST_WORK_KEYS "svm.cache_mb cnn.test_shifts cnn.use_members cnn.checkpoint_s"

typedef struct {
    void (*visit)(const char *path, bool is_array, void *context);
    void *context;
    const char *root;
} Walk;

static herr_t visit_object(hid_t start, const char *name, const H5O_info_t *info, void *context) {
    (void)start;
    Walk *walk = context;
    if (strcmp(name, ".") == 0) return 0;
    size_t size = strlen(walk->root) + strlen(name) + 2;
    char *path = mem_new(size, 1);
    snprintf(path, size, "%s/%s", strcmp(walk->root, "/") ? walk->root : "", name);
    walk->visit(path, info->type == H5O_TYPE_DATASET, walk->context);
    mem_free(path);
    return 0;
}

StatusCode h5_visit(const H5File *file, const char *name,
                    void (*visit)(const char *path, bool is_array, void *context), void *context,
                    Status *status) {
    if (status->code) return status->code;
    Walk walk = {visit, context, name};
    if (H5Ovisit_by_name2(file->id, name, H5_INDEX_NAME, H5_ITER_INC, visit_object, &walk, H5O_INFO_BASIC,
                          H5P_DEFAULT) < 0)
        h5_read_error(file, name, status);
    return status->code;
}

char *h5_member(const H5File *file, const char *group, int64_t number) {
    char name[256];
    const ssize_t length = H5Lget_name_by_idx(file->id, group, H5_INDEX_NAME, H5_ITER_INC, (hsize_t)number,
                                              name, sizeof name, H5P_DEFAULT);
    return length < 0 ? NULL : mem_text(name);
}

/* A digest in progress. The length of each item is hashed before it, so different contents can't give the
 * same sequence of bytes. */
typedef struct {
    const H5File *file;
    Sha256 sha;
    const char *work_keys; /* the keys that aren't hashed, separated by spaces */
    Status *status;
} Digest;

static void add_bytes(Digest *digest, const void *bytes, uint64_t length) {
    sha256_add(&digest->sha, &length, sizeof length);
    sha256_add(&digest->sha, bytes, length);
}

static void add_text(Digest *digest, const char *text) {
    add_bytes(digest, text, strlen(text));
}

static StatusCode read_error(Digest *digest, const char *name) {
    return h5_read_error(digest->file, name, digest->status);
}

/* Hashes the type (its class, and the bytes of an item) and the shape. */
static void add_type_and_shape(Digest *digest, hid_t type, hid_t space) {
    hsize_t dims[H5S_MAX_RANK] = {0};
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    uint64_t facts[3] = {(uint64_t)H5Tget_class(type), H5Tget_size(type), (uint64_t)rank};
    add_bytes(digest, facts, sizeof facts);
    add_bytes(digest, dims, (uint64_t)(rank > 0 ? rank : 0) * sizeof *dims);
}

/* Reads and hashes rows of an array that isn't empty, a few MiB at a time; rank > 0. */
static void add_rows(Digest *digest, const char *path, hid_t array, hid_t type, hid_t space) {
    enum { AT_A_TIME = 1 << 24 };
    hsize_t dims[H5S_MAX_RANK], start[H5S_MAX_RANK] = {0};
    const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    const hsize_t rows = dims[0];
    size_t row_bytes = H5Tget_size(type);
    for (int i = 1; i < rank; i++)
        row_bytes *= dims[i];
    const hsize_t most = row_bytes && row_bytes < AT_A_TIME ? AT_A_TIME / row_bytes : 1;
    void *data = mem_new(rows < most ? rows : most, row_bytes);
    for (; start[0] < rows && !digest->status->code; start[0] += dims[0]) {
        dims[0] = rows - start[0] < most ? rows - start[0] : most;
        const hid_t block = H5Screate_simple(rank, dims, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, dims, NULL);
        if (H5Dread(array, type, block, space, H5P_DEFAULT, data) < 0) read_error(digest, path);
        sha256_add(&digest->sha, data, dims[0] * row_bytes);
        H5Sclose(block);
    }
    mem_free(data);
}

static void add_single_value(Digest *digest, const char *path, hid_t array, hid_t type) {
    void *data = mem_new(H5Tget_size(type), 1);
    if (H5Dread(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) read_error(digest, path);
    sha256_add(&digest->sha, data, H5Tget_size(type));
    mem_free(data);
}

/* Hashes the bytes of all items, as stored (little endian on all machines). */
static void add_array(Digest *digest, const char *path) {
    hid_t array = H5Dopen2(digest->file->id, path, H5P_DEFAULT);
    if (array < 0) {
        read_error(digest, path);
        return;
    }
    hid_t type = H5Dget_type(array), space = H5Dget_space(array);
    const int64_t bytes = h5_items_bytes(digest->file, array, type, space);
    h5_refuse_storage(digest->file, path, array, digest->status);
    if (bytes < 0) {
        read_error(digest, path);
    } else if (!digest->status->code) {
        add_type_and_shape(digest, type, space);
        sha256_add(&digest->sha, &(uint64_t){(uint64_t)bytes}, sizeof(uint64_t));
        if (bytes > 0 && H5Sget_simple_extent_ndims(space) > 0)
            add_rows(digest, path, array, type, space);
        else if (bytes > 0)
            add_single_value(digest, path, array, type);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(array);
}

/* Whether an attribute of /config/SECTION is one of the file's work keys. */
static bool is_work_key(const Digest *digest, const char *path, const char *attribute) {
    if (strncmp(path, "/config/", 8)) return false;
    char name[256];
    const int length = snprintf(name, sizeof name, "%s.%s", path + 8, attribute);
    for (const char *at = digest->work_keys; (at = strstr(at, name)); at += length)
        if ((at == digest->work_keys || at[-1] == ' ') && (at[length] == ' ' || !at[length])) return true;
    return false;
}

/* Whether an attribute of /model only explains it to readers of the file: what it says isn't part of the
 * model. */
static bool is_explanation(const char *path, const char *attribute) {
    static const char *const names[] = {"layout", "layers", "epsilon", "formula"};
    for (size_t i = 0; !strncmp(path, "/model", 6) && i < sizeof names / sizeof *names; i++)
        if (!strcmp(attribute, names[i])) return true;
    return false;
}

typedef struct {
    Digest *digest;
    const char *path;
} AttributeWalk;

/* A text of variable length, as h5py writes it, counts as ours, which have their length in their type. */
static void add_variable_text(Digest *digest, const char *path, const char *attribute) {
    char *text = NULL;
    if (h5_get_text(digest->file, path, attribute, &text, digest->status)) return;
    const uint64_t length = (uint64_t)larger((int64_t)strlen(text), 1), facts[3] = {H5T_STRING, length, 0};
    add_text(digest, attribute);
    add_bytes(digest, facts, sizeof facts);
    add_bytes(digest, NULL, 0);
    add_bytes(digest, text, length);
    mem_free(text);
}

static herr_t add_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
    (void)info;
    AttributeWalk *walk = context;
    if (is_work_key(walk->digest, walk->path, name) || is_explanation(walk->path, name)) return 0;
    hid_t id = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(id), space = H5Aget_space(id);
    const int64_t bytes = h5_items_bytes(walk->digest->file, -1, type, space);
    void *data = mem_new((size_t)larger(bytes, 0), 1);
    if (H5Tis_variable_str(type) > 0) {
        add_variable_text(walk->digest, walk->path, name);
    } else if (bytes < 0 || H5Aread(id, type, data) < 0) {
        read_error(walk->digest, walk->path);
    } else {
        add_text(walk->digest, name);
        add_type_and_shape(walk->digest, type, space);
        add_bytes(walk->digest, data, (uint64_t)bytes);
    }
    mem_free(data);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(id);
    return 0;
}

static void add_object(const char *path, bool is_array, void *context) {
    Digest *digest = context;
    if (digest->status->code) return;
    add_text(digest, path);
    if (is_array) add_array(digest, path);
    AttributeWalk walk = {digest, path};
    hsize_t start = 0;
    if (H5Aiterate_by_name(digest->file->id, path, H5_INDEX_NAME, H5_ITER_INC, &start, add_attribute, &walk,
                           H5P_DEFAULT) < 0)
        read_error(digest, path);
}

StatusCode h5_digest(const H5File *file, char hex[65], Status *status) {
    static const char *const parts[] = {"/config", "/images", "/model", "/optimizer", "/state"};
    if (status->code) return status->code;
    char *work_keys = NULL;
    if (h5_has_attribute(file, "/config", WORK_KEYS))
        h5_get_text(file, "/config", WORK_KEYS, &work_keys, status);
    Digest digest = {.file = file, .work_keys = work_keys ? work_keys : FIRST_WORK_KEYS, .status = status};
    sha256_begin(&digest.sha);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!h5_exists(file, parts[i])) continue;
        add_object(parts[i], false, &digest);
        h5_visit(file, parts[i], add_object, &digest, status);
    }
    sha256_end(&digest.sha, hex);
    mem_free(work_keys);
    return status->code;
}
