/* Files that are written row by row, because memory wouldn't hold them. */
#define _GNU_SOURCE
#include "store/h5internal.h"

#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Whether so many bytes more have room in the file system of a file that can't reserve them, as errno tells.
 */
static bool has_room(int descriptor, int64_t bytes) {
    struct statvfs facts;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return false;
    if (fstatvfs(descriptor, &facts) < 0 || facts.f_bavail >= (uint64_t)bytes / facts.f_frsize) return true;
    errno = ENOSPC;
    return false;
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
    if (good && fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, bytes) < 0) good = has_room(descriptor, bytes);
    if (!good)
        status_set(status, STATUS_FAILED, "%s can't be written: %s (it takes %lld MiB).", path,
                   strerror(errno), (long long)bytes >> 20);
    if (descriptor >= 0) close(descriptor);
    if (!good && descriptor >= 0) unlink(path);
    return status->code;
}

StatusCode h5_create_streamed(H5File **file, const char *path, int64_t bytes, Status *status) {
    *file = NULL;
    h5_prepare();
    /* checksums and the index of blocks take less than 1/256 */
    if (reserve(path, bytes + bytes / 256 + (1 << 20), status)) return status->code;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(creation, false);
    const hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    H5Pclose(creation);
    H5Pclose(access);
    if (id < 0) return status_set(status, STATUS_FAILED, "%s can't be created as an HDF5 file.", path);
    *file = h5_file_new(id, path, NULL);
    (*file)->streamed = true;
    return STATUS_OK;
}

StatusCode h5_end_stream(const H5File *file, Status *status) {
    hsize_t bytes = 0;
    if (H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0 || H5Fget_filesize(file->id, &bytes) < 0 ||
        truncate(file->path, (off_t)bytes) < 0)
        status_set(status, STATUS_FAILED, "%s can't be written: %s.", file->path, strerror(errno));
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
        status_set(status, STATUS_FAILED, "%s: %s couldn't be written.", file->path, name);
    H5Sclose(in_memory);
    H5Sclose(in_file);
    if (H5Dclose(array) < 0)
        status_set(status, STATUS_FAILED, "%s: %s couldn't be written.", file->path, name);
    return status->code;
}
