#include "data/picture_format.h"

#include <ctype.h>
#include <stdbool.h>

enum { MAX_PICTURES = 10000 }; /* of one file */

/* A header and where the raster begins (netpbm's formats: ppm(5), pgm(5), pbm(5)). */
typedef struct {
    int kind; /* 1 to 6 */
    int64_t width, height, maxval;
    size_t raster;
} PnmHeader;

/* Skips white space and comments. */
static void skip_blanks(const PictureBytes *file, size_t *at) {
    while (*at < file->size && (isspace(file->bytes[*at]) || file->bytes[*at] == '#'))
        if (file->bytes[(*at)++] == '#')
            while (*at < file->size && file->bytes[*at] != '\n' && file->bytes[*at] != '\r')
                ++*at;
}

/* The next number; -1 if there is none, or it is too large for anything here. */
static int64_t next_number(const PictureBytes *file, size_t *at) {
    int64_t number = 0;
    skip_blanks(file, at);
    if (*at >= file->size || !isdigit(file->bytes[*at])) return -1;
    for (; *at < file->size && isdigit(file->bytes[*at]); ++*at) {
        number = 10 * number + file->bytes[*at] - '0';
        if (number > INT32_MAX) return -1;
    }
    return number;
}

/* That of the picture which begins at `at`. */
static bool read_header(const PictureBytes *file, size_t at, PnmHeader *header) {
    if (file->size - at < 2) return false;
    header->kind = file->bytes[at + 1] - '0';
    at += 2;
    header->width = next_number(file, &at);
    header->height = next_number(file, &at);
    header->maxval = header->kind == 1 || header->kind == 4 ? 1 : next_number(file, &at);
    header->raster = at + (header->kind >= 4); /* exactly one white space before binary values */
    return header->width > 0 && header->height > 0 && header->maxval > 0 && header->maxval < 65536;
}

static int channels_of(const PnmHeader *header) {
    return header->kind == 3 || header->kind == 6 ? 3 : 1;
}

static int64_t raster_bytes(const PnmHeader *header) {
    const int64_t row = header->kind == 4
                            ? (header->width + 7) / 8
                            : header->width * channels_of(header) * (header->maxval > 255 ? 2 : 1);
    return row * header->height;
}

/* Whether the file is as long as its binary raster. */
static bool is_whole(const PictureBytes *file, const PnmHeader *header) {
    if (header->kind < 4) return true;
    return header->raster <= file->size && (int64_t)(file->size - header->raster) >= raster_bytes(header);
}

/* Where the picture behind a whole one begins, directly after it; 0: there is none. Texts hold one. */
static size_t next_picture(const PictureBytes *file, const PnmHeader *header) {
    if (header->kind < 4 || !is_whole(file, header)) return 0;
    const size_t end = header->raster + (size_t)raster_bytes(header);
    const bool begins = file->size - end > 2 && file->bytes[end] == 'P' && file->bytes[end + 1] >= '4' &&
                        file->bytes[end + 1] <= '6';
    return begins ? end : 0;
}

StatusCode pnm_measure(const PictureBytes *file, PictureSize *size, Status *status) {
    size_t at = 0;
    *size = (PictureSize){0};
    do {
        PnmHeader header;
        if (!read_header(file, at, &header)) return picture_damaged(file, status);
        if (size->pages == MAX_PICTURES)
            return status_set(status, STATUS_FAILED, "%s holds more than %d pictures; split it.", file->path,
                              MAX_PICTURES);
        picture_add_page(size, header.width, header.height, at);
        at = next_picture(file, &header);
    } while (at);
    return status->code;
}

/* Values of a raster in the order of the file. */
typedef struct {
    const PictureBytes *file;
    PnmHeader header;
    size_t at;
    int bit; /* of the byte at `at`, in P4 */
} Raster;

/* P1's values are single digits, which need no white space between them. */
static int64_t next_bit_of_text(Raster *raster) {
    skip_blanks(raster->file, &raster->at);
    if (raster->at >= raster->file->size) return -1;
    const int digit = raster->file->bytes[raster->at++] - '0';
    return digit == 0 || digit == 1 ? 1 - digit : -1;
}

static int64_t next_bit(Raster *raster) {
    const int64_t value = 1 - (raster->file->bytes[raster->at] >> (7 - raster->bit) & 1);
    raster->bit = (raster->bit + 1) % 8;
    raster->at += raster->bit == 0;
    return value;
}

static int64_t next_bytes(Raster *raster) {
    const uint8_t *bytes = raster->file->bytes + raster->at;
    const bool wide = raster->header.maxval > 255;
    raster->at += wide ? 2 : 1;
    return wide ? bytes[0] << 8 | bytes[1] : bytes[0];
}

/* 0 to 255 from black to white; -1 if the file has no valid value there. */
static int next_level(Raster *raster) {
    const int64_t maxval = raster->header.maxval;
    const int64_t value = raster->header.kind == 1   ? next_bit_of_text(raster)
                          : raster->header.kind == 4 ? next_bit(raster)
                          : raster->header.kind < 4  ? next_number(raster->file, &raster->at)
                                                     : next_bytes(raster);
    return value < 0 || value > maxval ? -1 : (int)((value * 255 + maxval / 2) / maxval);
}

static bool fill_row(Raster *raster, l_uint32 *line) {
    const int channels = channels_of(&raster->header);
    for (int x = 0; x < raster->header.width; x++) {
        int level[3];
        for (int c = 0; c < channels; c++)
            if ((level[c] = next_level(raster)) < 0) return false;
        if (channels == 3)
            composeRGBPixel(level[0], level[1], level[2], line + x);
        else
            SET_DATA_BYTE(line, x, level[0]);
    }
    if (raster->bit) raster->bit = 0, raster->at++; /* a row of P4 ends with a byte */
    return true;
}

PIX *pnm_decode(const PictureBytes *file, uint64_t place, Status *status) {
    Raster raster = {.file = file};
    PIX *pix = NULL;
    const bool good = read_header(file, (size_t)place, &raster.header);
    if (good && picture_check_size(file, raster.header.width, raster.header.height, status)) return NULL;
    if (good && is_whole(file, &raster.header))
        pix = pixCreate((int)raster.header.width, (int)raster.header.height,
                        channels_of(&raster.header) == 3 ? 32 : 8);
    raster.at = raster.header.raster;
    for (int y = 0; pix && y < raster.header.height; y++)
        if (!fill_row(&raster, pixGetData(pix) + (int64_t)y * pixGetWpl(pix))) pixDestroy(&pix);
    if (!pix) picture_damaged(file, status);
    return pix;
}
