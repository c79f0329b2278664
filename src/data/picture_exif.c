#include "data/picture_format.h"

#include "core/mem.h"

#include <libexif/exif-data.h>
#include <string.h>

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t little_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

/* A format that is a row of chunks, each with a name and the number of its bytes. */
typedef struct {
    size_t first;      /* chunk */
    int name, length;  /* where they stand in a chunk's head of 8 bytes */
    size_t tail, even; /* bytes behind the content; a chunk's content fills multiples of this */
    uint32_t (*number)(const uint8_t *); /* of the length */
    const char *wanted;
} Chunks;

/* The content of a PNG's eXIf or a WebP's EXIF; NULL if there is none. */
static const uint8_t *find_chunk(const PictureBytes *file, const Chunks *chunks, uint32_t *length) {
    for (size_t at = chunks->first; at + 8 <= file->size;) {
        const uint8_t *head = file->bytes + at;
        *length = chunks->number(head + chunks->length);
        if (*length > file->size - at - 8) return NULL;
        if (!memcmp(head + chunks->name, chunks->wanted, 4)) return head + 8;
        at += 8 + (*length + chunks->even - 1) / chunks->even * chunks->even + chunks->tail;
    }
    return NULL;
}

/* libexif expects the name that EXIF has in a JPEG in front of it. */
static ExifData *exif_of_chunk(const PictureBytes *file, const Chunks *chunks) {
    static const char name[] = "Exif\0";
    uint32_t length;
    const uint8_t *content = find_chunk(file, chunks, &length);
    if (!content || length > 1u << 24) return NULL;
    const size_t before = length >= 6 && !memcmp(content, name, 6) ? 0 : 6;
    uint8_t *whole = mem_new(before + length, 1);
    memcpy(whole, name, before);
    memcpy(whole + before, content, length);
    ExifData *data = exif_data_new_from_data(whole, (unsigned)(before + length));
    mem_free(whole);
    return data;
}

int exif_orientation(const PictureBytes *file) {
    static const Chunks png = {8, 4, 0, 4, 1, big_endian, "eXIf"},
                        webp = {12, 0, 4, 0, 2, little_endian, "EXIF"};
    const uint8_t first = file->bytes[0];
    ExifData *data =
        first == 0x89  ? exif_of_chunk(file, &png)
        : first == 'R' ? exif_of_chunk(file, &webp)
        : first == 0xff
            ? exif_data_new_from_data(file->bytes, (unsigned)(file->size < 1u << 24 ? file->size : 1u << 24))
            : NULL;
    if (!data) return 1;
    int orientation = 1;
    const ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (entry && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
        orientation = exif_get_short(entry->data, exif_data_get_byte_order(data));
    exif_data_unref(data);
    return orientation;
}

void picture_turn(PIX **pix, int orientation) {
    /* quarters to turn clockwise after mirroring left and right */
    static const struct {
        int mirror, quarters;
    } ways[] = {
        [2] = {1, 0}, [3] = {0, 2}, [4] = {1, 2}, [5] = {1, 3}, [6] = {0, 1}, [7] = {1, 1}, [8] = {0, 3}};
    if (orientation < 2 || orientation > 8) return;
    const int spp = pixGetSpp(*pix);
    if (ways[orientation].mirror) pixFlipLR(*pix, *pix);
    PIX *turned = pixRotateOrth(*pix, ways[orientation].quarters);
    pixDestroy(pix);
    *pix = turned;
    if (turned) pixSetSpp(turned, spp);
}
