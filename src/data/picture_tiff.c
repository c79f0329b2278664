#include "data/picture_format.h"

#include "core/integers.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>

/* The file's bytes as libtiff reads them. */
typedef struct {
    const PictureBytes *file;
    toff_t at;
} Stream;

static tsize_t read_bytes(thandle_t handle, void *to, tsize_t count) {
    Stream *stream = handle;
    if (stream->at >= stream->file->size) return 0;
    const tsize_t left = (tsize_t)(stream->file->size - stream->at), taken = count < left ? count : left;
    memcpy(to, stream->file->bytes + stream->at, (size_t)taken);
    stream->at += (toff_t)taken;
    return taken;
}

static tsize_t write_bytes(thandle_t handle, void *from, tsize_t count) {
    (void)handle, (void)from, (void)count;
    return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    Stream *stream = handle;
    stream->at = offset + (whence == SEEK_CUR ? stream->at : whence == SEEK_END ? stream->file->size : 0);
    return stream->at;
}

static int close_stream(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t size_of(thandle_t handle) {
    return ((const Stream *)handle)->file->size;
}

/* libtiff's handlers of messages are the process's own: standard error is silenced instead. */
static TIFF *open_tiff(Stream *stream) {
    return TIFFClientOpen(stream->file->path, "rm", stream, read_bytes, write_bytes, seek, close_stream,
                          size_of, NULL, NULL);
}

/* A smaller copy of a page, or a mask of what is transparent on it. */
static bool is_beside_page(TIFF *tiff) {
    uint32_t kind = 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &kind);
    return kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK);
}

StatusCode tiff_measure(const PictureBytes *file, PictureSize *size, Status *status) {
    Stream stream = {file, 0};
    TIFF *tiff = open_tiff(&stream);
    uint32_t width = 0, height = 0;
    bool last;
    *size = (PictureSize){0};
    if (!tiff) return picture_damaged(file, status);
    do { /* the largest page counts */
        if (is_beside_page(tiff)) continue;
        TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
        TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
        if ((int64_t)width * height > size->width * size->height || !size->pages)
            size->width = width, size->height = height;
        size->pages++;
    } while (!(last = TIFFLastDirectory(tiff)) && TIFFReadDirectory(tiff));
    if (!last) size->pages++; /* the next one can't be found: reading it tells so */
    TIFFClose(tiff);
    return size->pages ? status->code : picture_unsupported(file, "a TIFF of previews alone", status);
}

/* To a page as tiff_measure counts them. */
static bool go_to_page(TIFF *tiff, int page) {
    for (;; page--) {
        while (is_beside_page(tiff))
            if (!TIFFReadDirectory(tiff)) return false;
        if (page == 0) return true;
        if (!TIFFReadDirectory(tiff)) return false;
    }
}

/* libtiff's words are ABGR; those of a PIX hold red in their highest byte. */
static void turn_words(PIX *pix, bool alpha) {
    l_uint32 *words = pixGetData(pix);
    for (int64_t i = 0; i < (int64_t)pixGetWidth(pix) * pixGetHeight(pix); i++) {
        uint32_t a = TIFFGetA(words[i]), r = TIFFGetR(words[i]), g = TIFFGetG(words[i]),
                 b = TIFFGetB(words[i]);
        if (alpha && a) /* libtiff has multiplied the colours by it */
            r = smaller(255, r * 255 / a), g = smaller(255, g * 255 / a), b = smaller(255, b * 255 / a);
        words[i] = r << 24 | g << 16 | b << 8 | a;
    }
    pixSetSpp(pix, alpha ? 4 : 3);
}

/* What libtiff can't convert. Its own reason is a whole sentence, in words of its code. */
static StatusCode refuse_kind(TIFF *tiff, const PictureBytes *file, const char *why, Status *status) {
    uint16_t bits = 1;
    char what[64] = "this kind of TIFF";
    if (!strncmp(why, "Missing", 7)) return picture_damaged(file, status);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    if (bits > 16) snprintf(what, sizeof what, "a TIFF of %d bits a value", bits);
    return picture_unsupported(file, what, status);
}

static PIX *decode_page(TIFF *tiff, const PictureBytes *file, Status *status) {
    uint32_t width = 0, height = 0;
    uint16_t orientation = 1, extra = 0, *kinds = NULL;
    char why[1024] = "";
    if (!TIFFRGBAImageOK(tiff, why)) {
        refuse_kind(tiff, file, why, status);
        return NULL;
    }
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    if (picture_check_size(file, width, height, status)) return NULL;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extra, &kinds);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    PIX *pix = pixCreate((int)width, (int)height, 32);
    /* as it is stored: libtiff mirrors but doesn't turn */
    if (pix && TIFFReadRGBAImageOriented(tiff, width, height, pixGetData(pix), orientation, 1)) {
        turn_words(pix, extra > 0 && kinds[0] != EXTRASAMPLE_UNSPECIFIED);
        picture_turn(&pix, orientation);
    } else
        pixDestroy(&pix);
    if (!pix) picture_damaged(file, status);
    return pix;
}

PIX *tiff_decode(const PictureBytes *file, int page, Status *status) {
    Stream stream = {file, 0};
    TIFF *tiff = open_tiff(&stream);
    PIX *pix = NULL;
    if (tiff && go_to_page(tiff, page))
        pix = decode_page(tiff, file, status);
    else
        picture_damaged(file, status);
    if (tiff) TIFFClose(tiff);
    return pix;
}
