#include "data/idx.h"
#include "core/mem.h"
#include "core/sha256.h"
#include "store/dataset.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FETCH "fetch it again"

enum {
    MAGIC_IMAGES = 0x00000803, /* type 8 (unsigned byte), 3 dimensions */
    MAGIC_LABELS = 0x00000801, /* 1 dimension */
    FIRST_BYTES = 1 << 24,     /* memory for what a .gz announces grows with what comes */
};

typedef struct {
    char path[PATH_MAX];
    gzFile stream;      /* reads plain files as they are */
    int64_t size_bytes; /* on disk */
    Sha256 hash;        /* of what was read so far, uncompressed */
} IdxFile;

/* The path of the file of a kind ("images-idx3", "labels-idx1") by one of its usual names, variant 0 to
 * IDX_VARIANTS - 1; returns its length. */
static int variant_path(char *path, size_t size, const char *base, const char *name, const char *kind,
                        int variant) {
    const char *ending = variant % 2 ? ".gz" : "";
    const size_t plain = strcspn(kind, "-"); /* "images", "labels" */
    const char *slash = *base && base[strlen(base) - 1] == '-' ? "" : "/";
    return snprintf(path, size, "%s%s%s-%.*s%c%s-ubyte%s", base, slash, name, (int)plain, kind,
                    variant / 2 ? '.' : '-', kind + plain + 1, ending);
}

/* Whether two files hold the same, uncompressed. */
static bool hold_same(const char *a, const char *b) {
    enum { PIECE = 1 << 16 };
    gzFile first = gzopen(a, "rb"), second = gzopen(b, "rb");
    uint8_t *pieces = mem_new(2, PIECE);
    bool same = first && second;
    for (int got = 1; same && got > 0;) {
        got = gzread(first, pieces, PIECE);
        same = got >= 0 && gzread(second, pieces + PIECE, PIECE) == got &&
               !memcmp(pieces, pieces + PIECE, (size_t)got);
    }
    mem_free(pieces);
    if (first) gzclose_r(first);
    if (second) gzclose_r(second);
    return same;
}

/* Another file of this kind under its next names, unless it holds the same. */
static void note_other(const char *path, const char *base, const char *name, const char *kind, int variant) {
    char other[PATH_MAX];
    struct stat info;
    while (++variant < IDX_VARIANTS)
        if (variant_path(other, sizeof other, base, name, kind, variant) < (int)sizeof other &&
            stat(other, &info) == 0 && S_ISREG(info.st_mode) && !hold_same(path, other))
            fprintf(stderr, "pardigits: note: %s is read; %s beside it holds something else and isn't.\n",
                    path, other);
}

/* Opens the file of a kind under the first of its names that is there. *found is false, with STATUS_OK, if
 * there is none. */
static StatusCode idx_open(IdxFile *file, const char *base, const char *name, const char *kind, bool *found,
                           Status *status) {
    struct stat info;
    int variant = 0;
    *found = false;
    for (; variant < IDX_VARIANTS && !*found; variant++) {
        int length = variant_path(file->path, sizeof file->path, base, name, kind, variant);
        if (length >= (int)sizeof file->path)
            return status_set(status, STATUS_FAILED, "The name of the folder %.80s... is too long.", base);
        *found = stat(file->path, &info) == 0;
        if (!*found && errno != ENOENT && errno != ENOTDIR)
            return status_set(status, STATUS_FAILED, "%s can't be read: %s.", file->path, strerror(errno));
    }
    if (!*found) return STATUS_OK;
    if (!S_ISREG(info.st_mode))
        return status_set(status, STATUS_FAILED, "%s isn't a regular file; " FETCH ".", file->path);
    errno = 0;
    file->stream = gzopen(file->path, "rb");
    if (!file->stream)
        return status_set(status, STATUS_FAILED, "%s can't be opened: %s.", file->path, strerror(errno));
    note_other(file->path, base, name, kind, variant - 1);
    gzbuffer(file->stream, 1 << 17);
    file->size_bytes = info.st_size;
    sha256_begin(&file->hash);
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
        sha256_add(&file->hash, bytes + done, (size_t)got);
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

/* The type of the values that a magic number tells; NULL if it is none of IDX. */
static const char *idx_type(uint32_t magic) {
    static const char *const types[] = {[0x08] = "unsigned bytes",
                                        [0x09] = "signed bytes",
                                        [0x0b] = "16-bit integers",
                                        [0x0c] = "32-bit integers",
                                        [0x0d] = "32-bit floating-point numbers",
                                        [0x0e] = "64-bit floating-point numbers"};
    const uint32_t type = magic >> 8, dimensions = magic & 0xff;
    return type < sizeof types / sizeof *types && dimensions >= 1 && dimensions <= 4 ? types[type] : NULL;
}

static StatusCode idx_check_magic(const IdxFile *file, uint32_t magic, uint32_t expected, Status *status) {
    if (magic == expected) return STATUS_OK;
    const char *kind = expected == MAGIC_IMAGES ? "images" : "labels";
    if (magic == MAGIC_IMAGES || magic == MAGIC_LABELS)
        return status_set(status, STATUS_FAILED,
                          "%s holds %s where %s are expected (magic number 0x%08" PRIx32
                          " instead of 0x%08" PRIx32 "): two files look swapped; " FETCH ".",
                          file->path, magic == MAGIC_IMAGES ? "images" : "labels", kind, magic, expected);
    if (idx_type(magic) && (magic & 0xff) == (expected & 0xff))
        return status_set(
            status, STATUS_FAILED,
            "%s is an IDX file of %s, a type that isn't supported: convert it to unsigned bytes "
            "(type 0x08), pixels from 0 to 255 and labels from 0.",
            file->path, idx_type(magic));
    if (idx_type(magic))
        return status_set(status, STATUS_FAILED,
                          "%s is an IDX file of %" PRIu32 " dimension(s) of %s, expected %s: %" PRIu32
                          " dimension(s) of unsigned bytes.",
                          file->path, magic & 0xff, idx_type(magic), kind, expected & 0xff);
    return status_set(status, STATUS_FAILED,
                      "%s isn't an IDX file of %s: its magic number is 0x%08" PRIx32 ", expected 0x%08" PRIx32
                      " (unsigned bytes, %" PRIu32 " dimension(s)); " FETCH ".",
                      file->path, kind, magic, expected, expected & 0xff);
}

/* Reads the header up to the rows and checks that a plain file has just the length that it announces. */
static StatusCode idx_read_header(IdxFile *file, uint32_t expected, int64_t *rows, ImageSpec *spec,
                                  Status *status) {
    uint32_t magic, count, sides[2] = {1, 1};
    bool images = expected == MAGIC_IMAGES;
    if (idx_read_number(file, &magic, status) || idx_check_magic(file, magic, expected, status) ||
        idx_read_number(file, &count, status))
        return status->code;
    for (int i = 0; images && i < 2; i++)
        if (idx_read_number(file, &sides[i], status)) return status->code;
    for (int i = 0; images && i < 2; i++)
        if (sides[i] < SIDE_MIN || sides[i] > SIDE_MAX)
            return status_set(status, STATUS_FAILED,
                              "%s says that its images have %" PRIu32 " x %" PRIu32
                              " pixels: a height and width of %d to %d are possible.",
                              file->path, sides[0], sides[1], SIDE_MIN, SIDE_MAX);
    if (count == 0)
        return status_set(status, STATUS_FAILED, "%s says that it holds no rows; " FETCH ".", file->path);
    *rows = count;
    spec->height = (int)sides[0];
    spec->width = (int)sides[1];
    int64_t length = (images ? 16 : 8) + *rows * image_spec_pixels(*spec);
    if (gzdirect(file->stream) && file->size_bytes != length)
        return status_set(status, STATUS_FAILED,
                          "%s is %s: it has %" PRId64 " bytes, but its header announces %" PRId64
                          " rows in %" PRId64 " bytes; " FETCH ".",
                          file->path, file->size_bytes < length ? "truncated" : "too long", file->size_bytes,
                          *rows, length);
    return STATUS_OK;
}

/* Reads count bytes into new memory, freed by the caller; what a compressed file announces is believed only
 * as far as it comes. NULL after a failure. */
static uint8_t *idx_read_array(IdxFile *file, int64_t count, const char *part, Status *status) {
    int64_t room = count < FIRST_BYTES || gzdirect(file->stream) ? count : FIRST_BYTES, done = 0;
    uint8_t *bytes = mem_new((size_t)room, 1);
    while (!idx_read_bytes(file, bytes + done, room - done, part, status) && room < count) {
        done = room;
        room = room < count / 2 ? 2 * room : count;
        uint8_t *more = mem_new((size_t)room, 1);
        memcpy(more, bytes, (size_t)done);
        mem_free(bytes);
        bytes = more;
    }
    if (!status->code) return bytes;
    mem_free(bytes);
    return NULL;
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
    sha256_end(&file->hash, sha256);
    return STATUS_OK;
}

static StatusCode read_labels(IdxFile *file, ImageSet *set, char sha256[65], Status *status) {
    ImageSpec ignored;
    if (idx_read_header(file, MAGIC_LABELS, &set->n, &ignored, status)) return status->code;
    set->labels = idx_read_array(file, set->n, "labels", status);
    if (status->code || idx_finish(file, sha256, status)) return status->code;
    for (int64_t i = 0; i < set->n; i++)
        if (set->labels[i] >= set->spec.classes) set->spec.classes = set->labels[i] + 1;
    return STATUS_OK;
}

static StatusCode read_images(IdxFile *file, ImageSet *set, char sha256[65], Status *status) {
    int64_t n = 0;
    if (idx_read_header(file, MAGIC_IMAGES, &n, &set->spec, status)) return status->code;
    if (n != set->n)
        return status_set(status, STATUS_FAILED,
                          "%s holds %" PRId64 " images, but there are %" PRId64 " labels for them.",
                          file->path, n, set->n);
    set->images = idx_read_array(file, n * image_spec_pixels(set->spec), "images", status);
    if (status->code) return status->code;
    return idx_finish(file, sha256, status);
}

typedef StatusCode (*Reader)(IdxFile *file, ImageSet *set, char sha256[65], Status *status);

/* Opens the file of a kind and hands it to read. */
static StatusCode idx_read_file(const char *base, const char *name, const char *kind, Reader read,
                                ImageSet *set, char sha256[65], Status *status) {
    IdxFile file = {0};
    bool found;
    if (idx_open(&file, base, name, kind, &found, status)) return status->code;
    if (!found) {
        variant_path(file.path, sizeof file.path, base, name, kind, 0);
        return status_set(status, STATUS_FAILED, "%s isn't there, neither plain nor as .gz.", file.path);
    }
    StatusCode code = read(&file, set, sha256, status);
    gzclose_r(file.stream);
    return code;
}

/* Labels come first: what they say, checked against their file's length, bounds the memory for the images. */
StatusCode idx_read(const char *base, const char *name, ImageSet *set, ImageSource *source, Status *status) {
    *set = (ImageSet){0};
    if (idx_read_file(base, name, "labels-idx1", read_labels, set, source->labels_sha256, status) ||
        idx_read_file(base, name, "images-idx3", read_images, set, source->images_sha256, status))
        image_set_free(set);
    return status->code;
}

bool idx_exists(const char *base, const char *name) {
    char path[PATH_MAX];
    for (int variant = 0; variant < IDX_VARIANTS; variant++)
        for (int kind = 0; kind < 2; kind++)
            if (variant_path(path, sizeof path, base, name, kind ? "images-idx3" : "labels-idx1", variant) <
                    (int)sizeof path &&
                access(path, F_OK) == 0)
                return true;
    return false;
}

void idx_paths(const char *base, const char *name, char *paths[2 * IDX_VARIANTS]) {
    char path[PATH_MAX];
    for (int v = 0; v < 2 * IDX_VARIANTS; v++) {
        variant_path(path, sizeof path, base, name, v % 2 ? "images-idx3" : "labels-idx1", v / 2);
        paths[v] = mem_text(path);
    }
}
