/* Why HDF5 failed: its stack of errors tells too little memory and errors of the system from damage. */
#include "store/h5internal.h"

#include "core/mem.h"
#include "store/file_sum.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Of the last call of HDF5 that failed. */
static _Thread_local struct {
    bool memory; /* some was refused */
    int error;   /* errno of a read, or 0 */
} last;

static herr_t note_cause(unsigned n, const H5E_error2_t *error, void *context) {
    (void)n;
    (void)context;
    const char *number = error->desc ? strstr(error->desc, "errno = ") : NULL;
    if (error->min_num == H5E_NOSPACE || error->min_num == H5E_CANTALLOC) last.memory = true;
    if (number && error->min_num == H5E_READERROR) last.error = (int)strtol(number + 8, NULL, 10);
    return 0;
}

static herr_t note_failure(hid_t stack, void *context) {
    last.memory = false;
    last.error = 0;
    return H5Ewalk2(stack, H5E_WALK_UPWARD, note_cause, context);
}

void h5_note_failures(void) {
    H5Eset_auto2(H5E_DEFAULT, note_failure, NULL);
}

H5Reporting h5_replace_reporting(void) {
    unsigned is_version_2 = 1;
    H5E_auto1_t old_report = NULL;
    H5E_auto2_t report = NULL;
    void *context = NULL;
    H5Eauto_is_v2(H5E_DEFAULT, &is_version_2);
#ifndef H5_NO_DEPRECATED_SYMBOLS
    if (!is_version_2) H5Eget_auto1(&old_report, &context);
#endif
    if (is_version_2) H5Eget_auto2(H5E_DEFAULT, &report, &context);
    h5_note_failures();
    return (H5Reporting){is_version_2 ? (void (*)(void))report : (void (*)(void))old_report, context,
                         !is_version_2};
}

void h5_restore_reporting(const H5Reporting *kept) {
#ifndef H5_NO_DEPRECATED_SYMBOLS
    if (kept->old) H5Eset_auto1((H5E_auto1_t)kept->report, kept->context);
#endif
    if (!kept->old) H5Eset_auto2(H5E_DEFAULT, (H5E_auto2_t)kept->report, kept->context);
}

/* Whether there is memory for what opening a whole file of this size can take: it reads little of it, and
 * nothing that is compressed. */
static bool has_memory_for(const char *path) {
    enum { TIMES = 4, BYTES_OF_HDF5 = 32 << 20 };
    struct stat facts;
    if (stat(path, &facts)) return false;
    const size_t bytes = (size_t)facts.st_size * TIMES + BYTES_OF_HDF5;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    munmap(memory, bytes);
    return true;
}

static const char damaged[] = "the file is damaged", no_memory[] = "there isn't enough memory",
                  either[] = "there isn't enough memory, or the file is damaged";

/* What a damaged file says of its sizes may be more than there is memory for; one that matches its checksum
 * isn't damaged. */
const char *h5_open_lacked_memory(const char *path) {
    if (!last.memory) return NULL;
    return file_sum_is_there(path) ? no_memory : has_memory_for(path) ? damaged : either;
}

StatusCode h5_refuse_links(const H5File *file, const char *name, Status *status) {
    char *prefix = mem_text(name);
    bool ends = false;
    for (char *slash = strchr(prefix + 1, '/'); !ends && !status->code;
         slash = ends || !slash ? NULL : strchr(slash + 1, '/')) {
        H5L_info_t info;
        ends = !slash;
        if (slash) *slash = 0;
        if (H5Lexists(file->id, prefix, H5P_DEFAULT) <= 0 ||
            H5Lget_info(file->id, prefix, &info, H5P_DEFAULT) < 0)
            ends = true;
        else if (info.type == H5L_TYPE_EXTERNAL)
            status_set(
                status, STATUS_FAILED,
                "%s: %s is a link to another file, which isn't supported: copy the data into this file.",
                file->path, prefix);
        else if (info.type == H5L_TYPE_SOFT && H5Oexists_by_name(file->id, prefix, H5P_DEFAULT) <= 0)
            status_set(status, STATUS_FAILED, "%s: %s is a link to something that isn't in the file.",
                       file->path, prefix);
        if (slash) *slash = '/';
    }
    mem_free(prefix);
    return status->code;
}

StatusCode h5_refuse_storage(const H5File *file, const char *name, hid_t array, Status *status) {
    const hid_t creation = array < 0 ? -1 : H5Dget_create_plist(array);
    if (creation < 0) return status->code;
    const hid_t type = H5Dget_type(array);
    if (H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0)
        status_set(
            status, STATUS_FAILED,
            "%s: the items of %s have no fixed size (texts, or lists), which isn't supported: store numbers.",
            file->path, name);
    H5Tclose(type);
    const bool is_virtual = H5Pget_layout(creation) == H5D_VIRTUAL;
    if (is_virtual || H5Pget_external_count(creation) > 0)
        status_set(status, STATUS_FAILED,
                   "%s: %s is %s, which isn't supported: copy the data into this file.", file->path, name,
                   is_virtual ? "a virtual dataset" : "an array whose data are in another file");
    H5Pclose(creation);
    return status->code;
}

StatusCode h5_read_error(const H5File *file, const char *what, Status *status) {
    const char *why = damaged;
    if (last.memory)
        why = file_sum_is_there(file->path) ? no_memory : either;
    else if (last.error)
        why = strerror(last.error);
    status_set(status, STATUS_FAILED, "%s: %s couldn't be read: %s.", file->path, what, why);
    last.memory = false;
    last.error = 0;
    return status->code;
}
