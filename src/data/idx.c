#include "data/idx.h"
#include "core/mem.h"
#include "store/dataset.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define FETCH "run `make data` to fetch it again"

enum {
    MAGIC_IMAGES = 0x00000803, /* type 8 (unsigned byte), 3 dimensions */
    MAGIC_LABELS = 0x00000801, /* 1 dimension */
    MAX_ROWS = 10000000,       /* more can't be right, and would need 8 GB */
};

typedef struct {
    char path[PATH_MAX];
    gzFile stream;      /* reads plain files as they are */
    int64_t size_bytes; /* on disk */
    SHA2_CTX hash;      /* of what was read so far, uncompressed */
} IdxFile;

/* Finds FOLDER/NAME or FOLDER/NAME.gz and opens it. */
static StatusCode idx_open(IdxFile *file, const char *folder, const char *name, Status *status) {
    static const char *const endings[] = {"", ".gz"};
    struct stat info;
    bool found = false;
    for (int i = 0; i < 2 && !found; i++) {
        int length = snprintf(file->path, sizeof file->path, "%s/%s%s", folder, name, endings[i]);
        if (length >= (int)sizeof file->path)
            return status_set(status, STATUS_FAILED, "The name of the folder %.80s... is too long.", folder);
        found = stat(file->path, &info) == 0;
        if (!found && errno != ENOENT && errno != ENOTDIR)
            return status_set(status, STATUS_FAILED, "%s can't be read: %s.", file->path, strerror(errno));
    }
    if (!found)
        return status_set(
            status, STATUS_FAILED,
            "%s/%s isn't there, neither plain nor as .gz; run `make data` to fetch the MNIST files, or "
            "name the folder that holds them.",
            folder, name);
    if (!S_ISREG(info.st_mode))
        return status_set(status, STATUS_FAILED, "%s isn't a regular file; " FETCH ".", file->path);
    errno = 0;
    file->stream = gzopen(file->path, "rb");
    if (!file->stream)
        return status_set(status, STATUS_FAILED, "%s can't be opened: %s.", file->path, strerror(errno));
    gzbuffer(file->stream, 1 << 17);
    file->size_bytes = info.st_size;
    SHA256Init(&file->hash);
    return STATUS_OK;
}

/* Says why reading ended early. */
static StatusCode idx_fail_read(const IdxFile *file, const char *part, Status *status) {
    int code;
    const char *reason = gzerror(file->stream, &code);
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
        return status_set(status, STATUS_FAILED, "%s is truncated: it ends within its %s; " FETCH ".",
                          file->path, part);
    if (code == Z_ERRNO)
        return status_set(status, STATUS_FAILED, "%s can't be read: %s.", file->path, strerror(errno));
    return status_set(status, STATUS_FAILED, "%s is damaged (%s); " FETCH ".", file->path, reason);
}

static StatusCode idx_read_bytes(IdxFile *file, uint8_t *bytes, int64_t count, const char *part,
                                 Status *status) {
    const int64_t most = 1 << 24; /* gzread takes 32-bit counts */
    for (int64_t done = 0; done < count;) {
        int64_t left = count - done;
        int got = gzread(file->stream, bytes + done, (unsigned)(left < most ? left : most));
        if (got <= 0) return idx_fail_read(file, part, status);
        SHA256Update(&file->hash, bytes + done, (size_t)got);
        done += got;
    }
    return STATUS_OK;
}

/* A big-endian number of the header. */
static StatusCode idx_read_number(IdxFile *file, uint32_t *number, Status *status) {
    uint8_t b[4];
    StatusCode code = idx_read_bytes(file, b, sizeof b, "header", status);
    if (!code) *number = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return code;
}

static StatusCode idx_check_magic(const IdxFile *file, uint32_t magic, uint32_t expected, Status *status) {
    if (magic == expected) return STATUS_OK;
    const char *kind = expected == MAGIC_IMAGES ? "images" : "labels";
    if (magic == MAGIC_IMAGES || magic == MAGIC_LABELS)
        return status_set(status, STATUS_FAILED,
                          "%s holds %s where %s are expected (magic number 0x%08" PRIx32
                          " instead of 0x%08" PRIx32 "): two files look swapped; " FETCH ".",
                          file->path, magic == MAGIC_IMAGES ? "images" : "labels", kind, magic, expected);
    return status_set(status, STATUS_FAILED,
                      "%s isn't an IDX file of %s: its magic number is 0x%08" PRIx32 ", expected 0x%08" PRIx32
                      " (unsigned bytes, %" PRIu32 " dimension(s)); " FETCH ".",
                      file->path, kind, magic, expected, expected & 0xff);
}

/* Reads the header up to the rows and checks that a plain file has just the length that it announces. */
static StatusCode idx_read_header(IdxFile *file, uint32_t expected, int64_t *rows, Status *status) {
    uint32_t magic, count, sides[2] = {IMAGE_SIDE, IMAGE_SIDE};
    bool images = expected == MAGIC_IMAGES;
    if (idx_read_number(file, &magic, status) || idx_check_magic(file, magic, expected, status) ||
        idx_read_number(file, &count, status))
        return status->code;
    for (int i = 0; images && i < 2; i++)
        if (idx_read_number(file, &sides[i], status)) return status->code;
    if (sides[0] != IMAGE_SIDE || sides[1] != IMAGE_SIDE)
        return status_set(status, STATUS_FAILED,
                          "%s says that its images have %" PRIu32 " x %" PRIu32
                          " pixels, expected 28 x 28; " FETCH ".",
                          file->path, sides[0], sides[1]);
    if (count == 0 || count > MAX_ROWS)
        return status_set(status, STATUS_FAILED,
                          "%s says that it holds %" PRIu32 " rows, expected 1 to %d; " FETCH ".", file->path,
                          count, MAX_ROWS);
    *rows = count;
    int64_t length = images ? 16 + *rows * IMAGE_PIXELS : 8 + *rows;
    if (gzdirect(file->stream) && file->size_bytes != length)
        return status_set(status, STATUS_FAILED,
                          "%s is %s: it has %" PRId64 " bytes, but its header announces %" PRId64
                          " rows in %" PRId64 " bytes; " FETCH ".",
                          file->path, file->size_bytes < length ? "truncated" : "too long", file->size_bytes,
                          *rows, length);
    return STATUS_OK;
}

/* Checks that nothing follows (with that the checksum of a .gz too) and gives the hash. */
static StatusCode idx_finish(IdxFile *file, char sha256[65], Status *status) {
    uint8_t byte;
    int got = gzread(file->stream, &byte, 1);
    int code;
    gzerror(file->stream, &code);
    if (got < 0 || code == Z_BUF_ERROR) return idx_fail_read(file, "last bytes", status);
    if (got > 0)
        return status_set(status, STATUS_FAILED, "%s is too long: bytes follow its last row; " FETCH ".",
                          file->path);
    SHA256End(&file->hash, sha256);
    return STATUS_OK;
}

static StatusCode read_labels(IdxFile *file, ImageSet *set, char sha256[65], Status *status) {
    if (idx_read_header(file, MAGIC_LABELS, &set->n, status)) return status->code;
    set->labels = mem_new((size_t)set->n, 1);
    if (idx_read_bytes(file, set->labels, set->n, "labels", status) || idx_finish(file, sha256, status))
        return status->code;
    for (int64_t i = 0; i < set->n; i++)
        if (set->labels[i] >= CLASSES)
            return status_set(status, STATUS_FAILED,
                              "%s has the label %d at index %" PRId64 ", expected 0 to 9; " FETCH ".",
                              file->path, set->labels[i], i);
    return STATUS_OK;
}

static StatusCode read_images(IdxFile *file, ImageSet *set, char sha256[65], Status *status) {
    int64_t n;
    if (idx_read_header(file, MAGIC_IMAGES, &n, status)) return status->code;
    if (n != set->n)
        return status_set(status, STATUS_FAILED,
                          "%s holds %" PRId64 " images, but there are %" PRId64 " labels for them; " FETCH
                          ".",
                          file->path, n, set->n);
    set->images = mem_new((size_t)n, IMAGE_PIXELS);
    if (idx_read_bytes(file, set->images, n * IMAGE_PIXELS, "images", status)) return status->code;
    return idx_finish(file, sha256, status);
}

/* Opens FOLDER/NAME-KIND and hands it to read. */
static StatusCode idx_read_file(const char *folder, const char *name, const char *kind,
                                StatusCode (*read)(IdxFile *, ImageSet *, char[65], Status *), ImageSet *set,
                                char sha256[65], Status *status) {
    char full_name[64];
    snprintf(full_name, sizeof full_name, "%s-%s-ubyte", name, kind);
    IdxFile file = {0};
    if (idx_open(&file, folder, full_name, status)) return status->code;
    StatusCode code = read(&file, set, sha256, status);
    gzclose_r(file.stream);
    return code;
}

/* Labels come first: what they say, checked against their file's length, bounds the memory for the images. */
StatusCode idx_read(const char *folder, const char *name, ImageSet *set, ImageSource *source,
                    Status *status) {
    *set = (ImageSet){.spec = image_spec_mnist()};
    if (idx_read_file(folder, name, "labels-idx1", read_labels, set, source->labels_sha256, status) ||
        idx_read_file(folder, name, "images-idx3", read_images, set, source->images_sha256, status))
        image_set_free(set);
    return status->code;
}
