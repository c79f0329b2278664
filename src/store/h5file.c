/* HDF5 files: created, opened, checked and closed. */
#define _GNU_SOURCE
#include "store/h5internal.h"

#include "core/mem.h"
#include "core/regular_file.h"
#include "parallel/comm_mpi.h"
#include "store/file_sum.h"
#include "store/file_writer.h"
#include "store/h5extent.h"
#include "store/h5io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void h5_library_version(char *text, int size) {
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(text, (size_t)size, "%u.%u.%u", major, minor, release);
}

static H5File *new_file(hid_t id, const char *path, const Comm *comm) {
    H5File *file = mem_new(1, sizeof *file);
    file->id = id;
    file->path = mem_text(path);
    file->comm = comm;
    return file;
}

void h5_skip_cleanup(void) {
    H5dont_atexit();
}

/* How files are opened and made; closed by H5Pclose. Locks are optional unless HDF5_USE_FILE_LOCKING says
 * otherwise: NFS and Lustre often refuse them, and no file is ever written under its final name. HDF5 before
 * 1.10.7 knows only all or none. */
static hid_t new_access(void) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 12, 1) || (H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 10 && H5_VERS_RELEASE >= 7)
    H5Pset_file_locking(access, true, true);
#endif
    return access;
}

enum { GROW_BYTES = 1 << 20 }; /* the size of a file that is created in memory is a multiple of it */

/* A new file is created in memory: HDF5 1.10 crashes at the program's end after a failed write to a full
 * disk. */
StatusCode h5_create(H5File **file, const char *path, Status *status) {
    *file = NULL;
    h5_note_failures();
    hid_t access = new_access(), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_fapl_core(access, GROW_BYTES, false);
    H5Pset_obj_track_times(creation, false);
    hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    H5Pclose(creation);
    H5Pclose(access);
    if (id < 0) return status_set(status, STATUS_FAILED, "%s can't be created as an HDF5 file.", path);
    *file = new_file(id, path, NULL);
    (*file)->written = true;
    return STATUS_OK;
}

/* Whether so many bytes more have room in the file system of a file that can't reserve them, as errno tells.
 */
static bool has_room(int descriptor, int64_t bytes) {
    struct statvfs facts;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return false;
    if (fstatvfs(descriptor, &facts) < 0 || facts.f_bavail >= (uint64_t)bytes / facts.f_frsize) return true;
    errno = ENOSPC;
    return false;
}

/* Without making the file longer; a signal may interrupt it. */
static int allocate(int descriptor, int64_t bytes) {
    int result;
    do
        result = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, bytes);
    while (result < 0 && errno == EINTR);
    return result;
}

/* Makes sure of room for `bytes` bytes without making the file longer: HDF5 1.10 crashes at the program's end
 * after a failed write to a full disk, so no write may fail. */
static StatusCode reserve(const char *path, int64_t bytes, Status *status) {
    struct rlimit limit;
    const int descriptor = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
    bool good = descriptor >= 0;
    if (good && getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < (rlim_t)bytes) {
        errno = EFBIG;
        good = false;
    }
    if (good && allocate(descriptor, bytes) < 0) good = has_room(descriptor, bytes);
    if (!good)
        status_set(status, STATUS_FAILED, "%s can't be written: %s (it takes %lld MiB).", path,
                   strerror(errno), (long long)bytes >> 20);
    if (descriptor >= 0) close(descriptor);
    if (!good && descriptor >= 0) unlink(path);
    return status->code;
}

StatusCode h5_create_streamed(H5File **file, const char *path, int64_t bytes, Status *status) {
    *file = NULL;
    h5_note_failures();
    /* checksums and the index of blocks take less than 1/256 */
    if (reserve(path, bytes + bytes / 256 + (1 << 20), status)) return status->code;
    const hid_t access = new_access(), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(creation, false);
    const hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    H5Pclose(creation);
    H5Pclose(access);
    if (id < 0) return status_set(status, STATUS_FAILED, "%s can't be created as an HDF5 file.", path);
    *file = new_file(id, path, NULL);
    (*file)->streamed = true;
    return STATUS_OK;
}

static StatusCode open_serial(const char *path, hid_t *id, Status *status) {
    const hid_t access = new_access();
    *id = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (*id >= 0) return STATUS_OK;
    const char *memory = h5_open_lacked_memory(path);
    if (memory) return status_set(status, STATUS_FAILED, "%s couldn't be opened: %s.", path, memory);
    if (file_writer_refuse(path, status)) return status->code;
    if (H5Fis_hdf5(path) <= 0)
        return status_set(
            status, STATUS_FAILED,
            "%s isn't an HDF5 file, or its beginning is damaged; expected an .h5 file of pardigits.", path);
    return status_set(status, STATUS_FAILED,
                      "%s can't be opened as HDF5: it is damaged, or the file system refuses locks (then set "
                      "HDF5_USE_FILE_LOCKING=FALSE).",
                      path);
}

/* What MPI-IO didn't open may well be whole. */
static void say_why_not_parallel(const char *path, Status *status) {
    hid_t alone;
    if (open_serial(path, &alone, status)) return;
    H5Fclose(alone);
    status_set(
        status, STATUS_FAILED,
        "%s is whole, but this system's MPI-IO can't open it: start one rank, or choose another part of "
        "MPI for it (with Open MPI OMPI_MCA_io=romio321).",
        path);
}

/* Collective. If only some ranks can open the file, the program ends: closing it is collective too. */
static StatusCode open_parallel(const char *path, const Comm *comm, hid_t *id, Status *status) {
    Status readable = {0};
    if (access(path, R_OK) < 0)
        status_set(&readable, STATUS_FAILED, "%s can't be opened: %s.", path, strerror(errno));
    if (comm_agree(comm, &readable)) return *status = readable, status->code;
    hid_t list = new_access();
    H5Pset_fapl_mpio(list, comm_mpi(comm), MPI_INFO_NULL);
    H5Pset_all_coll_metadata_ops(list, 1);
    progress_wait_begin(comm_progress(comm)); /* for the others: some kinds of MPI-IO did for ever */
    *id = H5Fopen(path, H5F_ACC_RDONLY, list);
    progress_wait_end(comm_progress(comm));
    H5Pclose(list);
    if (*id < 0) say_why_not_parallel(path, status);
    if (comm_agree(comm, status) && *id >= 0) fatal("%s", status->text);
    return status->code;
}

/* longer: than HDF5 says that it is. */
static StatusCode refuse_cut(const char *path, bool longer, Status *status) {
    file_writer_refuse(path, status);
    return status_set(status, STATUS_FAILED,
                      "%s was cut off before its end, so it is damaged%s; copy it again, if it is a copy.",
                      path, longer ? ", or bytes were added to it" : "");
}

/* What is missing of our own file without a checksum may be zeros alone (write_image), which HDF5 doesn't
 * miss: such a file was cut, unless all of them are there. Other programs' files have none. */
static bool lacks_zeros(const H5File *file, H5Extent extent) {
    char *format = NULL;
    Status ignored = {0};
    if (extent.end == 0 || extent.bytes <= extent.end || extent.bytes % GROW_BYTES == 0 ||
        !h5_has_attribute(file, "/", "format"))
        return false;
    h5_get_text(file, "/", "format", &format, &ignored);
    const bool ours = format && !strncmp(format, "pardigits ", strlen("pardigits "));
    mem_free(format);
    return ours;
}

StatusCode h5_open(H5File **file, const char *path, Status *status) {
    bool has_sum;
    H5Extent extent = {0, 0};
    *file = NULL;
    if (file_sum_verify(path, &has_sum, status)) return status->code;
    if (!has_sum) extent = h5_extent(path);
    if (extent.bytes < extent.end) return refuse_cut(path, false, status);
    if (h5_open_verified(file, path, NULL, status)) return status->code;
    (*file)->lacks_sum = !has_sum;
    if (!has_sum && lacks_zeros(*file, extent)) {
        refuse_cut(path, true, status);
        h5_close(file, status);
    }
    return status->code;
}

/* Each host may have its own file of that name. Collective: all ranks agree. */
static StatusCode check_same_file(const char *path, const Comm *comm, Status *status) {
    char mine[65] = "", first[65] = "";
    if (comm_size(comm) == comm_node_size(comm)) return STATUS_OK;
    if (comm_first_on_node(comm)) file_sum_identity(path, mine, status);
    memcpy(first, mine, sizeof first);
    comm_broadcast(comm, first, sizeof first, 0);
    if (comm_first_on_node(comm) && !status->code && *first && strcmp(mine, first))
        status_set(status, STATUS_FAILED,
                   "%s is another file than where rank 0 runs: let all hosts see one file, or copies of it.",
                   path);
    return comm_agree(comm, status);
}

StatusCode h5_open_together(H5Open open, H5File **file, const char *path, const Comm *comm, Status *status) {
    Status ignored = {0};
    const bool verifies = comm_first_on_node(comm);
    *file = NULL;
    if (verifies && !status->code) open(file, path, status);
    if (!comm_agree(comm, status) && !check_same_file(path, comm, status) && !verifies)
        h5_open_verified(file, path, NULL, status);
    if (comm_agree(comm, status)) h5_close(file, &ignored);
    return status->code;
}

/* The bytes of a file; freed by the caller. NULL: it can't be read. */
static void *read_bytes(const char *path, size_t *bytes) {
    struct stat facts;
    FILE *file = fopen(path, "rb");
    *bytes = file && fstat(fileno(file), &facts) == 0 ? (size_t)facts.st_size : 0;
    void *image = mem_new(*bytes, 1);
    const bool good = file && fread(image, 1, *bytes, file) == *bytes;
    if (file) fclose(file);
    if (good) return image;
    mem_free(image);
    return NULL;
}

/* HDF5 refuses to open an image by the name of a file that is there. */
static hid_t open_image(const char *path) {
    size_t bytes, size = strlen(path) + 16;
    void *image = read_bytes(path, &bytes);
    if (!image) return -1;
    char *name = mem_new(size, 1);
    snprintf(name, size, "%s (in memory)", path);
    const hid_t access = new_access();
    H5Pset_fapl_core(access, GROW_BYTES, false);
    H5Pset_file_image(access, image, bytes);
    const hid_t id = H5Fopen(name, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    mem_free(name);
    mem_free(image);
    return id;
}

StatusCode h5_open_copy(H5File **file, const char *path, Status *status) {
    if (h5_open(file, path, status) || !*file) return status->code;
    const hid_t copy = open_image(path);
    if (copy >= 0) {
        H5Fclose((*file)->id);
        (*file)->id = copy;
    }
    return status->code;
}

/* Of HDF5, whose state is global too. */
static atomic_bool stuck;

bool h5_is_stuck(void) {
    return stuck;
}

bool h5_lacks_sum(const H5File *file) {
    return file->lacks_sum;
}

void h5_note_missing_sum(const char *path) {
    fprintf(stderr,
            "pardigits: %s has no checksum (an older version or another program wrote it): some damage to it "
            "would go unnoticed.\n",
            path);
}

StatusCode h5_open_verified(H5File **file, const char *path, const Comm *comm, Status *status) {
    hid_t id = -1;
    *file = NULL;
    h5_note_failures();
    if (comm ? open_parallel(path, comm, &id, status) : open_serial(path, &id, status)) return status->code;
    *file = new_file(id, path, comm);
    return STATUS_OK;
}

/* Writes the file's image to disk. The image may be shorter than the space that its header says is allocated;
 * HDF5 would call such a file truncated, so the rest is filled with zeros. */
static StatusCode write_image(const H5File *file, Status *status) {
    hsize_t allocated = 0;
    ssize_t bytes = H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file->id, NULL, 0);
    if (bytes < 0 || H5Fget_filesize(file->id, &allocated) < 0)
        return status_set(status, STATUS_FAILED, "%s: HDF5 couldn't assemble the file.", file->path);
    if ((ssize_t)allocated < bytes) allocated = (hsize_t)bytes;
    char *image = mem_new((size_t)allocated, 1);
    H5Fget_file_image(file->id, image, (size_t)bytes);
    int descriptor = open(file->path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
    bool good = descriptor >= 0 && regular_file_write(descriptor, image, (size_t)allocated);
    if (descriptor >= 0 && close(descriptor) < 0 && errno != EINTR) good = false; /* Linux has closed it */
    if (!good) status_set(status, STATUS_FAILED, "%s can't be written: %s.", file->path, strerror(errno));
    mem_free(image);
    return status->code;
}

/* Cuts off what was reserved and not used. */
static StatusCode end_stream(const H5File *file, Status *status) {
    hsize_t bytes = 0;
    if (H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0 || H5Fget_filesize(file->id, &bytes) < 0 ||
        truncate(file->path, (off_t)bytes) < 0)
        status_set(status, STATUS_FAILED, "%s can't be written: %s.", file->path, strerror(errno));
    return status->code;
}

StatusCode h5_close(H5File **file_pointer, Status *status) {
    H5File *file = *file_pointer;
    if (!file) return status->code;
    if (file->written && !status->code) write_image(file, status);
    if (file->streamed && !status->code) end_stream(file, status);
    const bool made = file->written || file->streamed;
    if (H5Fclose(file->id) < 0) {
        stuck = true;
        /* of a file that was only read nothing is lost */
        if (made)
            status_set(status, STATUS_FAILED, "%s couldn't be closed: its disk may be full.", file->path);
    }
    if (made && !status->code) file_sum_append(file->path, status);
    mem_free(file->path);
    mem_free(file);
    *file_pointer = NULL;
    return status->code;
}

void h5_drop(H5File **file) {
    Status unwritten = {0};
    status_set(&unwritten, STATUS_FAILED, "dropped");
    h5_close(file, &unwritten);
}

const char *h5_path(const H5File *file) {
    return file->path;
}

char *h5_format(const char *path) {
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    char begin[sizeof signature - 1];
    const char *reason;
    FILE *plain = regular_file_open(path, &reason);
    const bool is_hdf5 =
        plain && fread(begin, sizeof begin, 1, plain) == 1 && !memcmp(begin, signature, sizeof begin);
    if (plain) fclose(plain);
    if (!is_hdf5) return NULL;
    Status ignored = {0};
    H5File *file = NULL;
    char *format = NULL;
    if (!h5_open(&file, path, &ignored) && h5_has_attribute(file, "/", "format"))
        h5_get_text(file, "/", "format", &format, &ignored);
    h5_close(&file, &ignored);
    return format ? format : mem_text("");
}
