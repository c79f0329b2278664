/* Contact sheets and pictures with boxes: read back through leptonica. */
#include "data/sheet.h"

#include "data/annotate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <allheaders.h>
#include <cmocka.h>

enum { N = 7, COLUMNS = 3 };

static char folder[] = "/tmp/pardigits-sheet-XXXXXX";
static char path[64], temporary[64];
enum { HEIGHT = 28, WIDTH = 20 };
static uint8_t images[N * HEIGHT * WIDTH];
static const ImageSet set = {N, images, NULL, {HEIGHT, WIDTH, 2, 0, false}};

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/sheet.png", folder);
    snprintf(temporary, sizeof temporary, "%s/.sheet.png.tmp", folder);
    for (int i = 0; i < N; i++)
        memset(images + i * HEIGHT * WIDTH, 30 * i, HEIGHT * WIDTH);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static int64_t dark_pixels(PIX *sheet, int threshold) {
    int64_t count = 0;
    l_uint32 value;
    for (int y = 0; y < pixGetHeight(sheet); y++)
        for (int x = 0; x < pixGetWidth(sheet); x++) {
            pixGetPixel(sheet, x, y, &value);
            count += (int)value < threshold;
        }
    return count;
}

static void test_holds_every_image_dark_on_white(void **state) {
    (void)state;
    Status status = {0};
    assert_int_equal(sheet_write(path, &set, COLUMNS, NULL, &status), STATUS_OK);
    assert_int_not_equal(access(temporary, F_OK), 0);
    PIX *sheet = pixRead(path);
    assert_non_null(sheet);
    assert_int_equal(pixGetDepth(sheet), 8);
    int64_t per_image = dark_pixels(sheet, 255 - 30 * (N - 1) + 1);
    assert_true(per_image >= HEIGHT * WIDTH);
    for (int i = 1; i < N; i++)
        assert_int_equal(dark_pixels(sheet, 255 - 30 * i + 1), (N - i) * per_image);
    pixDestroy(&sheet);
}

static void test_captions_add_black_text(void **state) {
    (void)state;
    const SheetCaption captions[N] = {
        {"0", ""},
        {"1", " at 12"},
        {"2", ""},
        {"", ""},
        {"a caption that is far too long and is cut", " at 12"},
        {"5", ""},
        {"\xc3\xa9t\xc3\xa9", ""},
    };
    Status status = {0};
    assert_int_equal(sheet_write(path, &set, COLUMNS, captions, &status), STATUS_OK);
    PIX *sheet = pixRead(path);
    int64_t black = dark_pixels(sheet, 40);
    assert_true(black > 50 && black < 5000);
    pixDestroy(&sheet);
}

static PIX *drawn_with(const char *end, Status *status) {
    SheetCaption captions[N] = {{"a name that is far too long for its column and is cut", ""}};
    snprintf(captions[0].end, sizeof captions[0].end, "%s", end);
    sheet_write(path, &set, COLUMNS, captions, status);
    return pixRead(path);
}

static void test_the_end_of_a_caption_stays(void **state) {
    (void)state;
    Status status = {0};
    l_int32 same = 1;
    PIX *one = drawn_with(" at 1234", &status), *other = drawn_with(" at 1235", &status);
    assert_false(pixEqual(one, other, &same));
    assert_false(same);
    pixDestroy(&one);
    pixDestroy(&other);
}

static void test_unwritable_place(void **state) {
    (void)state;
    Status status = {0};
    assert_int_equal(sheet_write("/proc/nonexistent/folder/sheet.png", &set, COLUMNS, NULL, &status),
                     STATUS_FAILED);
    assert_non_null(strstr(status.text, "/proc/nonexistent/folder/sheet.png can't be written: No such file"));
    Status folder_status = {0};
    assert_int_equal(sheet_write(folder, &set, COLUMNS, NULL, &folder_status), STATUS_USAGE);
    assert_non_null(strstr(folder_status.text, "is a folder"));
}

/* Coloured pixels in columns [40, 160) of some rows. */
static int coloured(PIX *pix, int from, int to) {
    int count = 0, red, green, blue;
    for (int y = from; y < to; y++)
        for (int x = 40; x < 160; x++) {
            pixGetRGBPixel(pix, x, y, &red, &green, &blue);
            count += red != green || green != blue;
        }
    return count;
}

/* A small digit at the page's upper edge: it is drawn larger, and its label lies below the box. */
static void test_small_digit_at_the_edge(void **state) {
    (void)state;
    Status status = {0};
    const AnnotatedBox box = {.place = {.x = 40, .y = 0, .width = 20, .height = 10}, .caption = "7"};
    char *const paths[] = {path};
    const int pages[] = {1};
    PIX *page = pixCreate(100, 60, 8);
    pixSetAll(page);
    assert_int_equal(pixWrite(path, page, IFF_PNG), 0);
    pixDestroy(&page);
    assert_int_equal(annotate_pictures(path, paths, pages, 1, &box, 1, &status), STATUS_OK);
    PIX *drawn = pixRead(path);
    assert_non_null(drawn);
    assert_int_equal(pixGetWidth(drawn), 300 + 2 * 8); /* three times as large, and a gap around */
    PIX *inner = pixCreate(300, 180, 32);
    pixRasterop(inner, 0, 0, 300, 180, PIX_SRC, drawn, 8, 8);
    assert_int_equal(coloured(inner, 38, 70), coloured(inner, 38, 180)); /* the label, and nothing else */
    assert_true(coloured(inner, 38, 70) > 10);
    pixDestroy(&inner);
    pixDestroy(&drawn);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_every_image_dark_on_white),
        cmocka_unit_test(test_captions_add_black_text),
        cmocka_unit_test(test_the_end_of_a_caption_stays),
        cmocka_unit_test(test_small_digit_at_the_edge),
        cmocka_unit_test(test_unwritable_place),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
