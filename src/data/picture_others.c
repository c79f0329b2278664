#include "data/picture_format.h"

#include "core/mem.h"

#include <string.h>

static PIX *decoded(const PictureBytes *file, PIX *pix, Status *status) {
    if (!pix) picture_damaged(file, status);
    return pix;
}

static StatusCode measure_header(const PictureBytes *file, PictureSize *size, Status *status) {
    l_int32 width, height;
    if (pixReadHeaderMem(file->bytes, file->size, NULL, &width, &height, NULL, NULL, NULL))
        return picture_damaged(file, status);
    *size = (PictureSize){.width = width, .height = height, .pages = 1};
    return status->code;
}

static uint32_t little_endian(const uint8_t *bytes, int count) {
    uint32_t value = 0;
    while (count--)
        value = value << 8 | bytes[count];
    return value;
}

/* The frame header of a JPEG (ITU T.81, B.2.2): FF Cn, length, precision, height, width, components. NULL if
 * there is none. */
static const uint8_t *find_frame(const PictureBytes *file) {
    for (size_t at = 2; at + 10 <= file->size;) {
        const uint8_t *marker = file->bytes + at;
        if (marker[0] != 0xff) return NULL;
        const int kind = marker[1];
        if (kind == 0xff) {
            at++; /* padding */
            continue;
        }
        if (kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc) return marker;
        at += kind == 0x01 || (kind >= 0xd0 && kind <= 0xd8) ? 2 : 2 + (size_t)(marker[2] << 8 | marker[3]);
    }
    return NULL;
}

StatusCode jpeg_measure(const PictureBytes *file, PictureSize *size, Status *status) {
    const uint8_t *frame = find_frame(file);
    if (!frame) return picture_damaged(file, status);
    if (frame[4] != 8) return picture_unsupported(file, "a JPEG of more than 8 bits a value", status);
    if ((frame[1] & 3) == 3 || (frame[1] > 0xc2 && frame[1] < 0xc9))
        return picture_unsupported(file, "lossless or hierarchical JPEG", status);
    *size = (PictureSize){.width = frame[7] << 8 | frame[8], .height = frame[5] << 8 | frame[6], .pages = 1};
    return status->code;
}

PIX *jpeg_decode(const PictureBytes *file, uint64_t place, Status *status) {
    (void)place;
    return decoded(file, pixReadMemJpeg(file->bytes, file->size, 0, 1, NULL, 0), status);
}

StatusCode webp_measure(const PictureBytes *file, PictureSize *size, Status *status) {
    if (file->size > 20 && !memcmp(file->bytes + 12, "VP8X", 4) && file->bytes[20] & 2)
        return picture_unsupported(file, "an animation", status);
    return measure_header(file, size, status);
}

/* leptonica calls each WebP transparent, which costs no more than a look at the pixels. */
PIX *webp_decode(const PictureBytes *file, uint64_t place, Status *status) {
    (void)place;
    return decoded(file, pixReadMemWebP(file->bytes, file->size), status);
}

/* The first frame's header (GIF89a, 20): 2C, left, top, width, height, two bytes each. NULL if there is none.
 * *transparent: the colour that the graphic control extension before it names so; -1: none. */
static const uint8_t *find_gif_frame(const PictureBytes *file, int *transparent) {
    const uint8_t *bytes = file->bytes;
    *transparent = -1;
    if (file->size < 13) return NULL;
    size_t at = 13 + (bytes[10] & 0x80 ? (size_t)3 << ((bytes[10] & 7) + 1) : 0);
    while (at + 8 < file->size && bytes[at] == 0x21) {
        if (bytes[at + 1] == 0xf9) *transparent = bytes[at + 3] & 1 ? bytes[at + 6] : -1;
        for (at += 2; at < file->size && bytes[at]; at += 1 + (size_t)bytes[at])
            ;
        at++;
    }
    return at + 10 <= file->size && bytes[at] == 0x2c ? bytes + at : NULL;
}

StatusCode gif_measure(const PictureBytes *file, PictureSize *size, Status *status) {
    int ignored;
    const uint8_t *frame = find_gif_frame(file, &ignored);
    if (!frame) return picture_damaged(file, status);
    *size = (PictureSize){
        .width = little_endian(frame + 5, 2), .height = little_endian(frame + 7, 2), .pages = 1};
    return status->code;
}

PIX *gif_decode(const PictureBytes *file, uint64_t place, Status *status) {
    (void)place;
    int transparent;
    PIX *pix = decoded(file, pixReadMemGif(file->bytes, file->size), status);
    if (pix && pixGetColormap(pix) && find_gif_frame(file, &transparent))
        pixcmapSetAlpha(pixGetColormap(pix), transparent, 0);
    return pix;
}

StatusCode bmp_measure(const PictureBytes *file, PictureSize *size, Status *status) {
    if (file->size < 54) return picture_damaged(file, status);
    const uint32_t header = little_endian(file->bytes + 14, 4), bits = little_endian(file->bytes + 28, 2);
    const uint32_t compression = little_endian(file->bytes + 30, 4);
    if (header < 40) return picture_unsupported(file, "the BMP of OS/2", status);
    if (compression != 0) return picture_unsupported(file, "a BMP with compression or bit fields", status);
    if (bits == 16) return picture_unsupported(file, "a BMP of 16 bits a pixel", status);
    const int32_t height = (int32_t)little_endian(file->bytes + 22, 4);
    if (height < 0) return picture_unsupported(file, "a BMP that is stored from top to bottom", status);
    *size = (PictureSize){.width = (int32_t)little_endian(file->bytes + 18, 4), .height = height, .pages = 1};
    return status->code;
}

static void put_little_endian(uint8_t *bytes, uint32_t value) {
    for (int i = 0; i < 4; i++, value >>= 8)
        bytes[i] = (uint8_t)value;
}

/* The same picture with the shortest header, its palette and pixels right behind it, as leptonica wants it:
 * others are longer, or have bytes between. bytes: freed by the caller; NULL: parts are missing. */
static PictureBytes plain_bmp(const PictureBytes *file) {
    enum { HEADERS = 54 };
    const uint32_t palette = 14 + little_endian(file->bytes + 14, 4),
                   pixels = little_endian(file->bytes + 10, 4);
    const uint32_t bits = little_endian(file->bytes + 28, 2), used = little_endian(file->bytes + 46, 4);
    const uint32_t most = bits <= 8 ? 1u << bits : 0, colours = used && used < most ? used : most;
    PictureBytes plain = {.path = file->path};
    if (palette > file->size || 4 * colours > file->size - palette || pixels > file->size) return plain;
    plain.size = HEADERS + 4 * colours + file->size - pixels;
    uint8_t *bytes = plain.bytes = mem_new(plain.size, 1);
    memcpy(bytes, file->bytes, HEADERS);
    memcpy(bytes + HEADERS, file->bytes + palette, 4 * colours);
    memcpy(bytes + HEADERS + 4 * colours, file->bytes + pixels, file->size - pixels);
    put_little_endian(bytes + 2, (uint32_t)plain.size);
    put_little_endian(bytes + 10, HEADERS + 4 * colours);
    put_little_endian(bytes + 14, 40);
    put_little_endian(bytes + 46, colours);
    return plain;
}

PIX *bmp_decode(const PictureBytes *file, uint64_t place, Status *status) {
    (void)place;
    const PictureBytes plain = plain_bmp(file);
    PIX *pix = decoded(file, plain.bytes ? pixReadMemBmp(plain.bytes, plain.size) : NULL, status);
    mem_free(plain.bytes);
    if (pix && pixGetDepth(pix) == 32) pixSetSpp(pix, 3); /* the fourth byte is unused */
    return pix;
}

/* What leptonica doesn't read; it says no size where there aren't 1, 3 or 4 channels. */
StatusCode jp2_measure(const PictureBytes *file, PictureSize *size, Status *status) {
    l_int32 bits;
    if (measure_header(file, size, status)) return status->code;
    if (!size->width)
        return picture_unsupported(file, "a JPEG 2000 picture of grey with transparency", status);
    if (pixReadHeaderMem(file->bytes, file->size, NULL, NULL, NULL, &bits, NULL, NULL))
        return picture_damaged(file, status);
    if (bits > 8) return picture_unsupported(file, "a JPEG 2000 picture of more than 8 bits a value", status);
    return status->code;
}

PIX *jp2_decode(const PictureBytes *file, uint64_t place, Status *status) {
    (void)place;
    return decoded(file, pixReadMemJp2k(file->bytes, file->size, 1, NULL, 0, 0), status);
}
