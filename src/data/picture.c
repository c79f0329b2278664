#include "data/picture.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/regular_file.h"
#include "data/picture_format.h"
#include "data/picture_paper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_PIXELS = 100000000, /* takes up to 1 GB to decode */
    MAX_BYTES = 1 << 30     /* of a file */
};

/* A format by its first bytes, in which '?' stands for any. */
typedef struct {
    const char *name, *signature;
    int bytes;              /* of the signature */
    PictureMeasure measure; /* NULL: not supported */
    PictureDecode decode;
} Format;

static const Format formats[] = {
    {"PNG", "\x89PNG\r\n\x1a\n", 8, png_measure, png_decode},
    {"JPEG", "\xff\xd8\xff", 3, jpeg_measure, jpeg_decode},
    {"TIFF", "II*\0", 4, tiff_measure, tiff_decode},
    {"TIFF", "MM\0*", 4, tiff_measure, tiff_decode},
    {"TIFF", "II+\0", 4, tiff_measure, tiff_decode},
    {"TIFF", "MM\0+", 4, tiff_measure, tiff_decode},
    {"WebP", "RIFF????WEBP", 12, webp_measure, webp_decode},
    {"GIF", "GIF8?a", 6, gif_measure, gif_decode},
    {"BMP", "BM", 2, bmp_measure, bmp_decode},
    {"JPEG 2000", "\0\0\0\x0cjP  \r\n\x87\n", 12, jp2_measure, jp2_decode},
    {"bare JPEG 2000 data (J2K)", "\xff\x4f\xff\x51", 4, NULL, NULL},
    {"PNM", "P1", 2, pnm_measure, pnm_decode},
    {"PNM", "P2", 2, pnm_measure, pnm_decode},
    {"PNM", "P3", 2, pnm_measure, pnm_decode},
    {"PNM", "P4", 2, pnm_measure, pnm_decode},
    {"PNM", "P5", 2, pnm_measure, pnm_decode},
    {"PNM", "P6", 2, pnm_measure, pnm_decode},
    {"PAM", "P7\n", 3, NULL, NULL},
    {"PDF", "%PDF-", 5, NULL, NULL},
    {"HEIC or AVIF", "????ftyphei", 11, NULL, NULL},
    {"HEIC or AVIF", "????ftyphev", 11, NULL, NULL},
    {"HEIC or AVIF", "????ftypmif", 11, NULL, NULL},
    {"HEIC or AVIF", "????ftypmsf", 11, NULL, NULL},
    {"HEIC or AVIF", "????ftypavi", 11, NULL, NULL},
    {"SVG", "<svg", 4, NULL, NULL},
    {"SVG or XML", "<?xml", 5, NULL, NULL},
    {"Photoshop", "8BPS", 4, NULL, NULL},
    {"PostScript", "%!PS", 4, NULL, NULL},
    {"icon", "\0\0\1\0", 4, NULL, NULL},
    {"JPEG XL", "\xff\x0a", 2, NULL, NULL},
    {"OpenEXR", "v/1\1", 4, NULL, NULL},
};

struct PictureFile {
    PictureBytes bytes;
    const Format *format;
    PictureSize size;
};

/* Decoders tell a lack of memory, which isn't the file's fault, by errno at the most. */
StatusCode picture_damaged(const PictureBytes *file, Status *status) {
    if (errno == ENOMEM)
        return status_set(status, STATUS_FAILED, "%s needs more memory than there is; scale it down.",
                          file->path);
    return status_set(status, STATUS_FAILED, "%s is damaged or truncated: it can't be decoded.", file->path);
}

StatusCode picture_unsupported(const PictureBytes *file, const char *what, Status *status) {
    return status_set(status, STATUS_FAILED, "%s: %s isn't supported; save it as a plain PNG or JPEG.",
                      file->path, what);
}

static StatusCode refuse_large(const PictureBytes *file, Status *status) {
    return status_set(status, STATUS_FAILED, "%s has more than %d MB; scale it down.", file->path,
                      MAX_BYTES >> 20);
}

/* Reads all that a stream gives, at most MAX_BYTES. */
static StatusCode read_stream(FILE *stream, size_t expected, PictureBytes *file, Status *status) {
    size_t room = (size_t)larger((int64_t)expected + 1, 1 << 16), got;
    file->bytes = mem_new(room, 1);
    while ((got = fread(file->bytes + file->size, 1, room - file->size, stream)) > 0) {
        file->size += got;
        if (file->size > MAX_BYTES) return refuse_large(file, status);
        if (file->size < room) continue;
        room = (size_t)smaller(2 * (int64_t)room, MAX_BYTES + 1);
        uint8_t *more = mem_new(room, 1);
        memcpy(more, file->bytes, file->size);
        mem_free(file->bytes);
        file->bytes = more;
    }
    if (ferror(stream))
        status_set(status, STATUS_FAILED, "%s can't be read: %s.", file->path, strerror(errno));
    return status->code;
}

static StatusCode read_file(const char *path, PictureBytes *file, Status *status) {
    if (!strcmp(path, "-")) {
        file->path = "standard input";
        return read_stream(stdin, 0, file, status);
    }
    struct stat info;
    const char *reason = "the disk fails";
    if (path_is_folder(path) && access(path, R_OK | X_OK))
        return status_set(status, STATUS_FAILED, "%s can't be read: %s.", path, strerror(errno));
    if (path_is_folder(path))
        return status_set(status, STATUS_FAILED,
                          "%s holds no picture: no file named *.png, *.jpg or the like.", path);
    FILE *stream = regular_file_open(path, &reason);
    if (!stream && access(path, R_OK) == 0)
        return status_set(status, STATUS_FAILED, "%s isn't a file; name a picture, or - for standard input.",
                          path);
    if (!stream) return status_set(status, STATUS_FAILED, "%s can't be read: %s.", path, reason);
    const bool known = fstat(fileno(stream), &info) == 0;
    if (known && info.st_size > MAX_BYTES)
        refuse_large(file, status);
    else
        read_stream(stream, known ? (size_t)info.st_size : 0, file, status);
    fclose(stream);
    return status->code;
}

static bool matches(const Format *format, const PictureBytes *file) {
    if (file->size < (size_t)format->bytes) return false;
    for (int i = 0; i < format->bytes; i++)
        if (format->signature[i] != '?' && (uint8_t)format->signature[i] != file->bytes[i]) return false;
    return true;
}

static StatusCode find_format(PictureFile *file, Status *status) {
    for (size_t f = 0; f < sizeof formats / sizeof *formats && !file->format; f++)
        if (matches(&formats[f], &file->bytes)) file->format = &formats[f];
    if (file->bytes.size == 0) return status_set(status, STATUS_FAILED, "%s is empty.", file->bytes.path);
    if (!file->format)
        return status_set(
            status, STATUS_FAILED,
            "%s isn't a PNG, JPEG, TIFF, WebP, GIF, BMP, JPEG 2000 or PNM picture; save it as one "
            "of these, or leave it out.",
            file->bytes.path);
    return file->format->measure ? status->code
                                 : picture_unsupported(&file->bytes, file->format->name, status);
}

void picture_add_page(PictureSize *size, int64_t width, int64_t height, uint64_t place) {
    if (!size->pages || width * height > size->width * size->height)
        size->width = width, size->height = height;
    size->places = mem_grow(size->places, (size_t)size->pages, sizeof *size->places);
    size->places[size->pages++] = place;
}

StatusCode picture_check_size(const PictureBytes *file, int64_t width, int64_t height, Status *status) {
    if (width <= 0 || height <= 0) return picture_damaged(file, status);
    if (width * height > MAX_PIXELS)
        status_set(status, STATUS_FAILED,
                   "%s has %" PRId64 " x %" PRId64 " pixels, more than %d million; scale it down.",
                   file->path, width, height, MAX_PIXELS / 1000000);
    return status->code;
}

static StatusCode measure(PictureFile *file, Status *status) {
    PictureSize *size = &file->size;
    errno = 0;
    if (file->format->measure(&file->bytes, size, status)) return status->code;
    /* one of several pages may be too large for itself */
    return size->pages == 1 ? picture_check_size(&file->bytes, size->width, size->height, status)
                            : status->code;
}

PictureFile *picture_open(const char *path, Status *status) {
    PictureFile *file = mem_new(1, sizeof *file);
    file->bytes.path = path;
    if (read_file(path, &file->bytes, status) || find_format(file, status) || measure(file, status))
        picture_close(&file);
    return file;
}

void picture_close(PictureFile **file) {
    if (!*file) return;
    mem_free((*file)->bytes.bytes);
    mem_free((*file)->size.places);
    mem_free(*file);
    *file = NULL;
}

int64_t picture_pixels(const PictureFile *file) {
    return file->size.width * file->size.height;
}

int picture_pages(const PictureFile *file) {
    return file->size.pages;
}

StatusCode picture_page(PictureFile *file, int page, PicturePaper paper, PIX **pix, Status *status) {
    PictureBytes named = file->bytes;
    char *name = mem_format("%s[%d]", named.path, page + 1);
    if (file->size.pages > 1) named.path = name;
    errno = 0;
    *pix = file->format->decode(&named, file->size.places ? file->size.places[page] : 0, status);
    if (*pix) {
        picture_turn(pix, exif_orientation(&named));
        picture_lay_on_paper(pix, paper);
        if (!*pix) status_set(status, STATUS_FAILED, "%s can't be converted to grey.", named.path);
    }
    mem_free(name);
    return status->code;
}

/* For leptonica, which returns NULL where there is no memory, so that a picture looks damaged or its pixels
 * are written to where none are. */
static void *pixels_new(size_t bytes) {
    void *pixels = malloc(bytes);
    if (!pixels) fatal("out of memory: a picture needs %zu MiB more; scale it down", bytes >> 20);
    return pixels;
}

int picture_silence(void) {
    setMsgSeverity(L_SEVERITY_NONE);
    setPixMemoryManager(pixels_new, free);
    fflush(stderr);
    int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    if (kept >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    if (kept >= 0) fatal_set_output(kept);
    if (nowhere >= 0) close(nowhere);
    return kept;
}

void picture_unsilence(int kept) {
    fflush(stderr);
    if (kept < 0) return;
    fatal_set_output(STDERR_FILENO);
    dup2(kept, STDERR_FILENO);
    close(kept);
}

/* The first page, made grey by to_grey where it is coloured; and how many pages there are, unless NULL. */
static StatusCode read_grey(const char *path, PicturePaper paper, PIX *(*to_grey)(PIX *), PIX **grey,
                            int *pages, Status *status) {
    PIX *page = NULL;
    *grey = NULL;
    const int kept = picture_silence();
    PictureFile *file = picture_open(path, status);
    if (file && !picture_page(file, 0, paper, &page, status)) *grey = to_grey(page);
    if (file && pages) *pages = picture_pages(file);
    picture_close(&file);
    picture_unsilence(kept);
    pixDestroy(&page);
    if (!*grey && !status->code) status_set(status, STATUS_FAILED, "%s can't be converted to grey.", path);
    return status->code;
}

StatusCode picture_read(const char *path, PIX **grey, Status *status) {
    return read_grey(path, PAPER_FOUND, picture_grey, grey, NULL, status);
}

PIX *picture_luminance(PIX *page) {
    return pixGetDepth(page) == 32 ? pixConvertRGBToLuminance(page) : pixClone(page);
}

bool picture_stretch(PIX *grey, ImageSpec spec, uint8_t *image) {
    const bool fits = pixGetWidth(grey) == spec.width && pixGetHeight(grey) == spec.height;
    PIX *scaled = fits ? pixClone(grey) : pixScaleToSize(grey, spec.width, spec.height);
    for (int y = 0; scaled && y < spec.height; y++) {
        const l_uint32 *line = pixGetData(scaled) + (int64_t)y * pixGetWpl(scaled);
        for (int x = 0; x < spec.width; x++) {
            const uint8_t value = (uint8_t)GET_DATA_BYTE(line, x);
            image[y * spec.width + x] = spec.inverted ? (uint8_t)(255 - value) : value;
        }
    }
    const bool good = scaled != NULL;
    pixDestroy(&scaled);
    return good;
}

StatusCode picture_read_luminance(const char *path, PIX **grey, Status *status) {
    return read_grey(path, PAPER_WHITE, picture_luminance, grey, NULL, status);
}

StatusCode picture_read_first(const char *path, PIX **grey, int *pages, Status *status) {
    return read_grey(path, PAPER_WHITE, picture_luminance, grey, pages, status);
}
