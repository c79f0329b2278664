#include "data/picture_format.h"

#include "core/integers.h"
#include "core/mem.h"

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
    do {
        if (is_beside_page(tiff)) continue;
        TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
        TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
        picture_add_page(size, width, height, TIFFCurrentDirOffset(tiff));
    } while (!(last = TIFFLastDirectory(tiff)) && TIFFReadDirectory(tiff));
    if (!last)
        picture_add_page(size, 0, 0, PICTURE_NOWHERE); /* the next one can't be found: reading it tells so */
    TIFFClose(tiff);
    return size->pages ? status->code : picture_unsupported(file, "a TIFF of previews alone", status);
}

/* libtiff's words are ABGR; those of a PIX hold red in their highest byte. multiplied: the colours are
 * multiplied by alpha. */
static void turn_words(PIX *pix, bool alpha, bool multiplied) {
    l_uint32 *words = pixGetData(pix);
    for (int64_t i = 0; i < (int64_t)pixGetWidth(pix) * pixGetHeight(pix); i++) {
        uint32_t a = TIFFGetA(words[i]), r = TIFFGetR(words[i]), g = TIFFGetG(words[i]),
                 b = TIFFGetB(words[i]);
        if (alpha && multiplied && a)
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

/* A page's way to say what is transparent. */
typedef struct {
    bool there, multiplied; /* the page's values are multiplied by it */
    bool grey;              /* the page holds grey and alpha, nothing else */
    uint16_t bits;          /* of a value */
} Alpha;

static Alpha find_alpha(TIFF *tiff) {
    uint16_t extra = 0, *kinds = NULL, samples = 1, photometric = 0, bits = 1;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extra, &kinds);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    const bool there = extra > 0 && kinds[0] != EXTRASAMPLE_UNSPECIFIED;
    return (Alpha){there, there && kinds[0] == EXTRASAMPLE_ASSOCALPHA,
                   samples == 2 &&
                       (photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE),
                   bits};
}

/* Of 16 bits of grey and 16 of alpha libtiff's own words lack the alpha. */
static StatusCode read_deep_grey(TIFF *tiff, const PictureBytes *file, PIX *pix, Status *status) {
    const int width = pixGetWidth(pix), height = pixGetHeight(pix);
    uint16_t config = PLANARCONFIG_CONTIG, photometric = PHOTOMETRIC_MINISBLACK;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &config);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    if (TIFFIsTiled(tiff) || config != PLANARCONFIG_CONTIG)
        return picture_unsupported(file, "a TIFF of tiles or planes of 16 bits of grey and alpha", status);
    uint16_t *row = mem_new((size_t)TIFFScanlineSize(tiff), 1);
    for (int y = 0; y < height && !status->code; y++) {
        uint32_t *words = (uint32_t *)pixGetData(pix) + (int64_t)y * pixGetWpl(pix);
        if (TIFFReadScanline(tiff, row, (uint32_t)y, 0) < 0) picture_damaged(file, status);
        for (int x = 0; x < width && !status->code; x++) {
            const uint32_t level = row[2 * x] >> 8, a = row[2 * x + 1] >> 8;
            const uint32_t grey = photometric == PHOTOMETRIC_MINISWHITE ? 255 - level : level;
            words[x] = a << 24 | grey << 16 | grey << 8 | grey;
        }
    }
    mem_free(row);
    return status->code;
}

/* As the page is stored: libtiff mirrors but doesn't turn. */
static StatusCode read_words(TIFF *tiff, const PictureBytes *file, const Alpha *alpha, uint16_t orientation,
                             PIX *pix, Status *status) {
    if (alpha->there && alpha->grey && alpha->bits == 16) return read_deep_grey(tiff, file, pix, status);
    if (!TIFFReadRGBAImageOriented(tiff, (uint32_t)pixGetWidth(pix), (uint32_t)pixGetHeight(pix),
                                   pixGetData(pix), orientation, 1))
        picture_damaged(file, status);
    return status->code;
}

static PIX *decode_page(TIFF *tiff, const PictureBytes *file, Status *status) {
    uint32_t width = 0, height = 0;
    uint16_t orientation = 1;
    char why[1024] = "";
    if (!TIFFRGBAImageOK(tiff, why)) {
        refuse_kind(tiff, file, why, status);
        return NULL;
    }
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    if (picture_check_size(file, width, height, status)) return NULL;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    const Alpha alpha = find_alpha(tiff);
    PIX *pix = pixCreate((int)width, (int)height, 32);
    if (!pix) {
        picture_damaged(file, status);
    } else if (read_words(tiff, file, &alpha, orientation, pix, status)) {
        pixDestroy(&pix);
    } else {
        turn_words(pix, alpha.there,
                   alpha.multiplied || !alpha.grey); /* libtiff multiplies colours, not grey */
        picture_turn(&pix, orientation);
    }
    return pix;
}

PIX *tiff_decode(const PictureBytes *file, uint64_t place, Status *status) {
    Stream stream = {file, 0};
    TIFF *tiff = open_tiff(&stream);
    PIX *pix = NULL;
    if (tiff && place != PICTURE_NOWHERE && TIFFSetSubDirectory(tiff, place))
        pix = decode_page(tiff, file, status);
    else
        picture_damaged(file, status);
    if (tiff) TIFFClose(tiff);
    return pix;
}
