/* Picture files: each format gives back the pixels that were written, upright and on paper; what isn't
 * supported is said, never called damaged. */
#include "data/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { ROWS = 24, COLUMNS = 40 };

static char path[] = "/tmp/pardigits-picture-XXXXXX";

static int start(void **state) {
    (void)state;
    const int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int finish(void **state) {
    (void)state;
    return unlink(path);
}

/* Smooth, and different at each corner. */
static unsigned grey_at(int row, int column) {
    return (unsigned)(20 + 4 * column + 2 * row);
}

/* The pixel of the upright picture that a stored one with this orientation holds: where the 0th row and the
 * 0th column lie, as TIFF 6.0 (Orientation) says it. */
static unsigned stored_at(int orientation, int row, int column) {
    switch (orientation) {
    case 2:
        return grey_at(row, COLUMNS - 1 - column); /* top, right */
    case 3:
        return grey_at(ROWS - 1 - row, COLUMNS - 1 - column); /* bottom, right */
    case 4:
        return grey_at(ROWS - 1 - row, column); /* bottom, left */
    case 5:
        return grey_at(column, row); /* left, top */
    case 6:
        return grey_at(column, COLUMNS - 1 - row); /* right, top */
    case 7:
        return grey_at(ROWS - 1 - column, COLUMNS - 1 - row); /* right, bottom */
    case 8:
        return grey_at(ROWS - 1 - column, row); /* left, bottom */
    default:
        return grey_at(row, column);
    }
}

/* Freed by the caller. */
static PIX *stored_picture(int orientation) {
    const int width = orientation < 5 ? COLUMNS : ROWS, height = orientation < 5 ? ROWS : COLUMNS;
    PIX *pix = pixCreate(width, height, 8);
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++)
            pixSetPixel(pix, column, row, stored_at(orientation, row, column));
    return pix;
}

/* A file in memory. */
typedef struct {
    uint8_t *bytes; /* of malloc */
    size_t size;
} Bytes;

static Bytes encode(int format, int orientation) {
    Bytes file = {0};
    PIX *pix = stored_picture(orientation), *colours = pixConvertTo32(pix);
    const int failed = format == IFF_WEBP        ? pixWriteMemWebP(&file.bytes, &file.size, colours, 100, 1)
                       : format == IFF_JP2       ? pixWriteMemJp2k(&file.bytes, &file.size, pix, 100, 3, 0, 0)
                       : format == IFF_JFIF_JPEG ? pixWriteMemJpeg(&file.bytes, &file.size, pix, 100, 0)
                                                 : pixWriteMem(&file.bytes, &file.size, pix, format);
    assert_int_equal(failed, 0);
    pixDestroy(&colours);
    pixDestroy(&pix);
    return file;
}

static void insert(Bytes *file, size_t at, const void *bytes, size_t count) {
    file->bytes = realloc(file->bytes, file->size + count);
    assert_non_null(file->bytes);
    memmove(file->bytes + at + count, file->bytes + at, file->size - at);
    memcpy(file->bytes + at, bytes, count);
    file->size += count;
}

/* Writes and frees. */
static void write_file(Bytes *file) {
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(file->bytes, 1, file->size, stream), file->size);
    assert_int_equal(fclose(stream), 0);
    free(file->bytes);
}

/* Reads the file: the upright picture, but for so many levels. */
static void assert_upright(const char *what, int tolerance) {
    Status status = {0};
    PIX *grey = NULL;
    if (picture_read_luminance(path, &grey, &status)) fail_msg("%s: %s", what, status.text);
    assert_int_equal(pixGetWidth(grey), COLUMNS);
    assert_int_equal(pixGetHeight(grey), ROWS);
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column < COLUMNS; column++) {
            l_uint32 value;
            pixGetPixel(grey, column, row, &value);
            if (abs((int)value - (int)grey_at(row, column)) > tolerance)
                fail_msg("%s: row %d, column %d is %u, expected %u", what, row, column, value,
                         grey_at(row, column));
        }
    pixDestroy(&grey);
}

static void assert_unsupported(const char *what) {
    Status status = {0};
    PIX *grey = NULL;
    assert_int_equal(picture_read(path, &grey, &status), STATUS_FAILED);
    if (!strstr(status.text, what) || !strstr(status.text, "isn't supported"))
        fail_msg("%s: %s", what, status.text);
}

static void test_formats(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int format, tolerance;
    } formats[] = {{"PNG", IFF_PNG, 0},      {"JPEG", IFF_JFIF_JPEG, 3}, {"TIFF", IFF_TIFF, 0},
                   {"LZW", IFF_TIFF_LZW, 0}, {"WebP", IFF_WEBP, 1},      {"GIF", IFF_GIF, 4},
                   {"BMP", IFF_BMP, 0},      {"PNM", IFF_PNM, 0},        {"JPEG 2000", IFF_JP2, 2}};
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        Bytes file = encode(formats[f].format, 1);
        write_file(&file);
        assert_upright(formats[f].name, formats[f].tolerance);
    }
}

/* EXIF with nothing but an orientation: a TIFF header and a directory of one entry. */
static void write_exif(int orientation, uint8_t exif[26]) {
    static const uint8_t start[26] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0};
    memcpy(exif, start, 26);
    exif[18] = (uint8_t)orientation;
}

static void put_big_endian(uint8_t *at, unsigned long value) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void add_exif(Bytes *file, int format, int orientation) {
    uint8_t jpeg[36] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f'}, png[38] = {0, 0, 0, 26, 'e', 'X', 'I', 'f'};
    uint8_t webp[34] = {'E', 'X', 'I', 'F', 26};
    write_exif(orientation, jpeg + 10);
    write_exif(orientation, png + 8);
    put_big_endian(png + 34, crc32(0, png + 4, 30));
    write_exif(orientation, webp + 8);
    if (format == IFF_JFIF_JPEG)
        insert(file, 2, jpeg, sizeof jpeg);
    else if (format == IFF_PNG)
        insert(file, 8 + 25, png, sizeof png); /* behind IHDR */
    else {
        insert(file, file->size, webp, sizeof webp);
        const size_t size = file->size - 8;
        for (int i = 0; i < 4; i++)
            file->bytes[4 + i] = (uint8_t)(size >> (8 * i));
    }
}

static void test_orientations(void **state) {
    (void)state;
    const int formats[] = {IFF_JFIF_JPEG, IFF_PNG, IFF_WEBP};
    for (int f = 0; f < 3; f++)
        for (int orientation = 1; orientation <= 8; orientation++) {
            char what[40];
            snprintf(what, sizeof what, "format %d, orientation %d", formats[f], orientation);
            Bytes file = encode(formats[f], orientation);
            add_exif(&file, formats[f], orientation);
            write_file(&file);
            assert_upright(what, formats[f] == IFF_JFIF_JPEG ? 4 : 1);
        }
}

static void test_orientation_of_tiff(void **state) {
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        Bytes file = encode(IFF_TIFF, orientation);
        write_file(&file);
        TIFF *tiff = TIFFOpen(path, "r+");
        assert_non_null(tiff);
        TIFFSetField(tiff, TIFFTAG_ORIENTATION, orientation);
        TIFFRewriteDirectory(tiff);
        TIFFClose(tiff);
        assert_upright("TIFF", 0);
    }
}

/* The left half is ink of this level, the right half a colour of the map that isn't drawn. */
static void write_transparent_gif(int level) {
    PIX *pix = pixCreate(COLUMNS, ROWS, 8);
    PIXCMAP *map = pixcmapCreate(8);
    pixcmapAddColor(map, level, level, level);
    pixcmapAddColor(map, 200, 0, 0); /* transparent; as luminance it is dark */
    pixSetColormap(pix, map);
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column < COLUMNS; column++)
            pixSetPixel(pix, column, row, column >= COLUMNS / 2);
    Bytes file = {0};
    assert_int_equal(pixWriteMem(&file.bytes, &file.size, pix, IFF_GIF), 0);
    pixDestroy(&pix);
    const uint8_t control[8] = {0x21, 0xf9, 4, 1, 0, 0, 1, 0};
    insert(&file, 13 + ((size_t)3 << ((file.bytes[10] & 7) + 1)), control, sizeof control);
    write_file(&file);
}

static void assert_ink_on_paper(StatusCode (*read)(const char *, PIX **, Status *), int ink, int paper) {
    Status status = {0};
    PIX *grey = NULL;
    if (read(path, &grey, &status)) fail_msg("%s", status.text);
    l_uint32 left, right;
    pixGetPixel(grey, 2, 2, &left);
    pixGetPixel(grey, COLUMNS - 2, 2, &right);
    assert_int_equal(left, ink);
    assert_int_equal(right, paper);
    pixDestroy(&grey);
}

/* Where a picture is transparent there is paper, whatever the colour: for ink that is looked for such as
 * shows it; for pictures taken whole white, lest one class has both black and white grounds. */
static void test_transparent_gif(void **state) {
    (void)state;
    for (int ink = 0; ink <= 240; ink += 240) {
        write_transparent_gif(ink);
        assert_ink_on_paper(picture_read, ink, ink ? 0 : 255);
        assert_ink_on_paper(picture_read_luminance, ink, 255);
    }
}

static void write_changed(int format, size_t at, const void *bytes, size_t count) {
    Bytes file = encode(format, 1);
    assert_true(at + count <= file.size);
    memcpy(file.bytes + at, bytes, count);
    write_file(&file);
}

/* The marker of the JPEG's frame, FF C0. */
static void write_jpeg(uint8_t kind, uint8_t precision) {
    Bytes file = encode(IFF_JFIF_JPEG, 1);
    size_t at = 2;
    while (file.bytes[at + 1] != 0xc0)
        at += 2 + ((size_t)file.bytes[at + 2] << 8 | file.bytes[at + 3]);
    file.bytes[at + 1] = kind;
    file.bytes[at + 4] = precision;
    write_file(&file);
}

/* A page of one level, its fourth channel of no known meaning, between a preview and a mask. */
static void write_tiff_of_three(void) {
    const uint32_t kinds[] = {FILETYPE_REDUCEDIMAGE, 0, FILETYPE_MASK};
    const uint16_t unspecified = EXTRASAMPLE_UNSPECIFIED;
    uint8_t pixels[4 * COLUMNS];
    TIFF *tiff = TIFFOpen(path, "w");
    assert_non_null(tiff);
    for (int page = 0; page < 3; page++) {
        for (int i = 0; i < 4 * COLUMNS; i++)
            pixels[i] = i % 4 == 3 ? 0 : page == 1 ? 77 : 5;
        TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, kinds[page]);
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, COLUMNS);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 3);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 4);
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &unspecified);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
        TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
        for (uint32_t row = 0; row < 3; row++)
            assert_int_equal(TIFFWriteScanline(tiff, pixels, row, 0), 1);
        assert_int_equal(TIFFWriteDirectory(tiff), 1);
    }
    TIFFClose(tiff);
}

static void test_pages_of_tiff(void **state) {
    (void)state;
    Status status = {0};
    PIX *grey = NULL;
    int pages = 0;
    write_tiff_of_three();
    if (picture_read_first(path, &grey, &pages, &status)) fail_msg("%s", status.text);
    assert_int_equal(pages, 1);
    pixDestroy(&grey);
    assert_ink_on_paper(picture_read, 77, 77);
}

/* All pixels have this level, and let a fifth of it be seen. */
static void write_faint_tiff(uint16_t bits, uint16_t kind, uint16_t photometric) {
    const unsigned grey = 60, alpha = 51;
    const unsigned stored = kind == EXTRASAMPLE_ASSOCALPHA ? grey * alpha / 255 : grey;
    const unsigned values[2] = {photometric == PHOTOMETRIC_MINISWHITE ? 255 - stored : stored, alpha};
    uint16_t deep[2 * COLUMNS];
    uint8_t plain[2 * COLUMNS];
    TIFF *tiff = TIFFOpen(path, "w");
    assert_non_null(tiff);
    for (int i = 0; i < 2 * COLUMNS; i++) {
        plain[i] = (uint8_t)values[i % 2];
        deep[i] = (uint16_t)(257 * values[i % 2]);
    }
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, COLUMNS);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, ROWS);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 2);
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, photometric);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    for (uint32_t row = 0; row < ROWS; row++)
        assert_int_equal(TIFFWriteScanline(tiff, bits == 16 ? (void *)deep : plain, row, 0), 1);
    TIFFClose(tiff);
}

static void test_grey_and_alpha_of_tiff(void **state) {
    (void)state;
    static const uint16_t kinds[][2] = {{EXTRASAMPLE_UNASSALPHA, PHOTOMETRIC_MINISBLACK},
                                        {EXTRASAMPLE_UNASSALPHA, PHOTOMETRIC_MINISWHITE},
                                        {EXTRASAMPLE_ASSOCALPHA, PHOTOMETRIC_MINISBLACK}};
    for (uint16_t bits = 8; bits <= 16; bits += 8)
        for (int k = 0; k < 3; k++) {
            Status status = {0};
            PIX *grey = NULL;
            l_uint32 value;
            write_faint_tiff(bits, kinds[k][0], kinds[k][1]);
            if (picture_read_luminance(path, &grey, &status)) fail_msg("%s", status.text);
            pixGetPixel(grey, 5, 5, &value);
            if (abs((int)value - (60 + 4 * 255) / 5) > 1) fail_msg("%d bits, kind %d: %u", bits, k, value);
            pixDestroy(&grey);
        }
}

/* A longer header, with bytes between it, the palette and the pixels. */
static void test_headers_of_bmp(void **state) {
    (void)state;
    static const uint8_t nothing[16] = {0};
    for (int k = 0; k < 3; k++) { /* a gap, a longer header, both */
        Bytes file = encode(IFF_BMP, 1);
        const size_t pixels = file.bytes[10] | (size_t)file.bytes[11] << 8;
        size_t longer = 0;
        if (k != 1) insert(&file, pixels, nothing, longer += 10);
        if (k != 0) insert(&file, 54, nothing, sizeof nothing), longer += sizeof nothing;
        file.bytes[10] = (uint8_t)(pixels + longer);
        file.bytes[11] = (uint8_t)((pixels + longer) >> 8);
        if (k != 0) file.bytes[14] = 56;
        write_file(&file);
        assert_upright("BMP", 0);
    }
}

/* A TIFF of one number. */
static void write_wide_tiff(void) {
    const uint32_t pixel = 0;
    TIFF *tiff = TIFFOpen(path, "w");
    assert_non_null(tiff);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 1);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 1);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 32);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFWriteRawStrip(tiff, 0, (void *)&pixel, sizeof pixel);
    TIFFClose(tiff);
}

/* The header of a JPEG 2000 picture of 1 x 1 pixels. */
static void write_jp2(int channels, int bits) {
    static const char start[] = "\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14"
                                "ftypjp2 \0\0\0\0jp2 \0\0\0\x2djp2h\0\0\0\x16ihdr\0\0\0\1\0\0\0\1";
    uint8_t *bytes = calloc(100, 1);
    memcpy(bytes, start, sizeof start);
    bytes[57] = (uint8_t)channels;
    bytes[58] = (uint8_t)(bits - 1);
    bytes[59] = 7; /* JPEG 2000 */
    write_file(&(Bytes){bytes, 100});
}

static void test_unsupported(void **state) {
    (void)state;
    write_wide_tiff();
    assert_unsupported("a TIFF of 32 bits a value isn't supported");
    write_jp2(1, 16);
    assert_unsupported("more than 8 bits a value");
    write_jp2(2, 8);
    assert_unsupported("grey with transparency");
    write_changed(IFF_BMP, 14, "\x0c", 1);
    assert_unsupported("OS/2");
    write_changed(IFF_BMP, 30, "\1", 1);
    assert_unsupported("a BMP with compression");
    write_changed(IFF_BMP, 28, "\x10", 1);
    assert_unsupported("a BMP of 16 bits");
    write_changed(IFF_BMP, 22, "\xe8\xff\xff\xff", 4); /* -24 rows */
    assert_unsupported("from top to bottom");
    write_changed(IFF_WEBP, 12, "VP8X\x0a\0\0\0\2", 9);
    assert_unsupported("an animation");
    write_jpeg(0xc3, 8);
    assert_unsupported("lossless");
    write_jpeg(0xc0, 12);
    assert_unsupported("more than 8 bits");
    write_changed(IFF_BMP, 0,
                  "\0\0\0\x20"
                  "ftypavif",
                  12);
    assert_unsupported("AVIF");
}

static void assert_refused(const char *what) {
    Status status = {0};
    PIX *grey = NULL;
    assert_int_equal(picture_read(path, &grey, &status), STATUS_FAILED);
    if (!strstr(status.text, what)) fail_msg("%s: %s", what, status.text);
}

static void test_refused(void **state) {
    (void)state;
    write_changed(IFF_BMP, 0,
                  "\0\0\0\x20"
                  "ftypisom",
                  12);
    assert_refused("isn't a PNG"); /* a film */
    write_changed(IFF_PNG, 16, "\0\x0f\x42\x41", 4);
    assert_refused("more than 1000000 pixels in a row or column");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_orientations),
        cmocka_unit_test(test_orientation_of_tiff),
        cmocka_unit_test(test_transparent_gif),
        cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_pages_of_tiff),
        cmocka_unit_test(test_grey_and_alpha_of_tiff),
        cmocka_unit_test(test_headers_of_bmp),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
