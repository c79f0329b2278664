#define _GNU_SOURCE /* memmem */
#include "store/file_sum.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/regular_file.h"
#include "core/sha256.h"
#include "store/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20, MARK_BYTES = 16 };

static const char mark[] = "pardigits sha256";

typedef struct {
    char mark[MARK_BYTES];
    unsigned char bytes[8], reserved[8];
    unsigned char sha256[SHA256_BYTES];
} Trailer;

static Trailer trailer_of(int64_t bytes, Sha256 *hash) {
    Trailer trailer = {0};
    memcpy(trailer.mark, mark, MARK_BYTES);
    for (int i = 0; i < 8; i++)
        trailer.bytes[i] = (unsigned char)((uint64_t)bytes >> 8 * i);
    sha256_end_bytes(hash, trailer.sha256);
    return trailer;
}

/* read() of exactly so many bytes. */
static bool read_all(int descriptor, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        const ssize_t got = read(descriptor, (char *)bytes + done, count - done);
        if (got == 0) errno = EIO; /* the file became shorter */
        if (got == 0 || (got < 0 && errno != EINTR)) return false;
        if (got > 0) done += (size_t)got;
    }
    return true;
}

/* Hashes the first bytes of a file. */
static bool hash_file(int descriptor, int64_t bytes, Sha256 *hash) {
    unsigned char *block = mem_new(BLOCK_BYTES, 1);
    bool good = lseek(descriptor, 0, SEEK_SET) == 0;
    sha256_begin(hash);
    for (int64_t done = 0; good && done < bytes; done += BLOCK_BYTES) {
        const size_t count = (size_t)smaller(BLOCK_BYTES, bytes - done);
        good = read_all(descriptor, block, count);
        if (good) sha256_add(hash, block, count);
    }
    mem_free(block);
    return good;
}

/* A descriptor of a regular file, and its size; -1: failed. A pipe would wait for a writer, a device never
 * end. */
static int open_file(const char *path, int flags, int64_t *size, Status *status) {
    struct stat facts;
    const int descriptor = open(path, flags | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &facts) < 0) {
        status_set(status, STATUS_FAILED, "%s can't be opened: %s.", path, strerror(errno));
    } else if (!S_ISREG(facts.st_mode)) {
        status_set(status, STATUS_FAILED, "%s is %s, expected a file.", path,
                   S_ISDIR(facts.st_mode) ? "a folder" : "a device or a pipe");
    } else {
        *size = facts.st_size;
        return descriptor;
    }
    if (descriptor >= 0) close(descriptor);
    return -1;
}

StatusCode file_sum_append(const char *path, Status *status) {
    int64_t bytes = 0;
    Sha256 hash;
    const int descriptor = open_file(path, O_RDWR, &bytes, status);
    if (descriptor < 0) return status->code;
    bool good = hash_file(descriptor, bytes, &hash);
    if (good) {
        const Trailer trailer = trailer_of(bytes, &hash);
        good = regular_file_write(descriptor, &trailer, sizeof trailer);
    }
    if (close(descriptor) < 0 && errno != EINTR) good = false; /* Linux has closed it */
    if (!good) status_set(status, STATUS_FAILED, "%s can't be written: %s.", path, strerror(errno));
    return status->code;
}

/* The file's last bytes; false: they couldn't be read. */
static bool read_trailer(int descriptor, int64_t size, Trailer *trailer) {
    *trailer = (Trailer){0};
    const int64_t at = size - (int64_t)sizeof *trailer;
    if (at < 0) return true;
    return lseek(descriptor, at, SEEK_SET) == at && read_all(descriptor, trailer, sizeof *trailer);
}

/* Whether this is a checksum, or was one: its mark may be damaged, or not where it belongs because the file
 * was cut. */
static bool is_trailer(const Trailer *trailer) {
    int right = 0;
    for (int i = 0; i < MARK_BYTES; i++)
        right += trailer->mark[i] == mark[i];
    return right >= MARK_BYTES / 2 || memmem(trailer, sizeof *trailer, mark, MARK_BYTES);
}

/* Adds `count` bytes of the file, from `at` on. */
static bool hash_piece(int descriptor, int64_t at, int64_t count, Sha256 *hash) {
    unsigned char *block = mem_new((size_t)count, 1);
    const bool good = lseek(descriptor, at, SEEK_SET) == at && read_all(descriptor, block, (size_t)count);
    if (good) sha256_add(hash, block, (size_t)count);
    mem_free(block);
    return good;
}

StatusCode file_sum_identity(const char *path, char hex[65], Status *status) {
    int64_t size = 0;
    Sha256 hash;
    const int descriptor = open_file(path, O_RDONLY, &size, status);
    if (descriptor < 0) return status->code;
    const int64_t count = smaller(BLOCK_BYTES, size);
    sha256_begin(&hash);
    sha256_add(&hash, &size, sizeof size);
    if (!hash_piece(descriptor, 0, count, &hash) || !hash_piece(descriptor, size - count, count, &hash))
        status_set(status, STATUS_FAILED, "%s can't be read: %s.", path, strerror(errno));
    sha256_end(&hash, hex);
    close(descriptor);
    return status->code;
}

bool file_sum_is_there(const char *path) {
    int64_t size = 0;
    Trailer trailer;
    Status ignored = {0};
    const int descriptor = open_file(path, O_RDONLY, &size, &ignored);
    if (descriptor < 0) return false;
    const bool there = read_trailer(descriptor, size, &trailer) && is_trailer(&trailer);
    close(descriptor);
    return there;
}

StatusCode file_sum_verify(const char *path, bool *has_sum, Status *status) {
    int64_t size = 0;
    Trailer stored, right;
    Sha256 hash;
    *has_sum = false;
    const int descriptor = open_file(path, O_RDONLY, &size, status);
    if (descriptor < 0) return status->code;
    bool good = read_trailer(descriptor, size, &stored);
    *has_sum = good && is_trailer(&stored);
    if (*has_sum) {
        const int64_t bytes = size - (int64_t)sizeof stored;
        good = hash_file(descriptor, bytes, &hash);
        if (good) right = trailer_of(bytes, &hash);
    }
    if (!good)
        status_set(status, STATUS_FAILED, "%s can't be read: %s.", path, strerror(errno));
    else if (*has_sum && memcmp(&stored, &right, sizeof right) && !file_writer_refuse(path, status))
        status_set(status, STATUS_FAILED, "%s is damaged: its bytes don't match its checksum.", path);
    close(descriptor);
    return status->code;
}
