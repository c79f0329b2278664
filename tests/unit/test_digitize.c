/* Pictures of digits: MNIST's own, drawn in many ways, must come back; everything else must be refused. */
#include "data/digitize.h"
#include "data/idx.h"
#include "store/dataset.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <allheaders.h>
#include <cmocka.h>

enum { DIGITS = 24 };

static ImageSet digits;
static char folder[] = "/tmp/pardigits-picture-XXXXXX";
static char path[64];

static int start(void **state) {
    (void)state;
    const char *mnist = getenv("MNIST_DIR");
    ImageSource source;
    Status status = {0};
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/picture", folder);
    if (idx_read(mnist ? mnist : "data/mnist", "t10k", &digits, &source, &status) == STATUS_OK) return 0;
    print_error("%s\n", status.text);
    return -1;
}

static int finish(void **state) {
    (void)state;
    image_set_free(&digits);
    unlink(path);
    return rmdir(folder);
}

/* The digit as an 8-bit picture, light on dark, each pixel a square of side times side. */
static PIX *picture_of(const uint8_t *image, int side) {
    PIX *small = pixCreate(IMAGE_SIDE, IMAGE_SIDE, 8);
    for (int i = 0; i < IMAGE_PIXELS; i++)
        pixSetPixel(small, i % IMAGE_SIDE, i / IMAGE_SIDE, image[i]);
    PIX *picture = pixExpandReplicate(small, side);
    pixDestroy(&small);
    return picture;
}

static void replace(PIX **picture, PIX *changed) {
    assert_non_null(changed);
    pixDestroy(picture);
    *picture = changed;
}

/* Goes from one colour (no ink) to another (full ink), 0xrrggbb00. */
static PIX *coloured(PIX *grey, l_uint32 ground, l_uint32 ink) {
    PIX *colour = pixCreate(pixGetWidth(grey), pixGetHeight(grey), 32);
    for (int y = 0; y < pixGetHeight(grey); y++)
        for (int x = 0; x < pixGetWidth(grey); x++) {
            l_uint32 value, mixed = 0;
            pixGetPixel(grey, x, y, &value);
            for (int shift = 8; shift <= 24; shift += 8)
                mixed |= (((ground >> shift & 255) * (255 - value) + (ink >> shift & 255) * value) / 255)
                         << shift;
            pixSetPixel(colour, x, y, mixed);
        }
    return colour;
}

/* Black ink of which the digit is the transparency. */
static PIX *transparent(PIX *grey) {
    PIX *colour = coloured(grey, 0, 0);
    pixSetRGBComponent(colour, grey, L_ALPHA_CHANNEL);
    pixSetSpp(colour, 4);
    return colour;
}

/* A sheet of paper darker on one side, with noise. */
static void shade(PIX *dark_on_light) {
    uint32_t noise = 1;
    for (int y = 0; y < pixGetHeight(dark_on_light); y++)
        for (int x = 0; x < pixGetWidth(dark_on_light); x++) {
            l_uint32 value;
            pixGetPixel(dark_on_light, x, y, &value);
            noise = noise * 1664525 + 1013904223;
            double light = 0.5 + 0.4 * x / pixGetWidth(dark_on_light);
            pixSetPixel(dark_on_light, x, y, (l_uint32)((value * 0.8 + 40) * light) + noise % 224 / 32);
        }
}

/* Mean absolute difference, the best of shifts by up to a pixel: rounding may move the centre of mass across.
 */
static double difference(const uint8_t *a, const uint8_t *b) {
    int64_t best = INT64_MAX;
    for (int shift = 0; shift < 9; shift++) {
        int64_t sum = 0;
        for (int i = 0; i < IMAGE_PIXELS; i++) {
            int x = i % IMAGE_SIDE + shift % 3 - 1, y = i / IMAGE_SIDE + shift / 3 - 1;
            bool inside = x >= 0 && x < IMAGE_SIDE && y >= 0 && y < IMAGE_SIDE;
            sum += labs((long)a[i] - (inside ? b[y * IMAGE_SIDE + x] : 0));
        }
        if (sum < best) best = sum;
    }
    return (double)best / IMAGE_PIXELS;
}

typedef void (*Drawer)(PIX **picture);

/* Draws digits, reads them back and bounds the difference, on average and at worst (of 255; a digit has about
 * 33). */
static void check_drawn(int side, Drawer draw, int format, double mean_bound, double worst_bound) {
    double sum = 0;
    for (int64_t i = 0; i < DIGITS; i++) {
        const uint8_t *original = digits.images + i * IMAGE_PIXELS;
        PIX *picture = picture_of(original, side);
        if (draw) draw(&picture);
        assert_int_equal(pixWrite(path, picture, format), 0);
        pixDestroy(&picture);
        uint8_t image[IMAGE_PIXELS], strongest = 0;
        Status status = {0};
        if (digitize_picture(path, image_spec_mnist(), image, &status))
            fail_msg("digit %d: %s", (int)i, status.text);
        for (int p = 0; p < IMAGE_PIXELS; p++)
            strongest = L_MAX(strongest, image[p]);
        assert_int_equal(strongest, 255);
        double one = difference(original, image);
        if (one > worst_bound) fail_msg("digit %d differs by %.2f", (int)i, one);
        sum += one / DIGITS;
    }
    if (sum > mean_bound) fail_msg("the average difference is %.2f", sum);
}

static void draw_inverted(PIX **picture) {
    pixInvert(*picture, *picture);
}

static void draw_with_margins(PIX **picture) {
    pixInvert(*picture, *picture);
    replace(picture, pixAddBorderGeneral(*picture, 90, 10, 30, 200, 255));
}

static void draw_red_on_blue(PIX **picture) {
    replace(picture, coloured(*picture, 0x0000ff00, 0xff000000));
}

static void draw_yellow_on_white(PIX **picture) {
    replace(picture, coloured(*picture, 0xffffff00, 0xffff0000));
}

static void draw_colour_map(PIX **picture) {
    replace(picture, coloured(*picture, 0xf0e0c000, 0x20308000));
    replace(picture, pixMedianCutQuant(*picture, 0));
}

static void draw_transparent(PIX **picture) {
    replace(picture, transparent(*picture));
}

static void draw_one_bit(PIX **picture) {
    replace(picture, pixThresholdToBinary(*picture, 128));
}

static void draw_four_bits(PIX **picture) {
    replace(picture, pixThresholdTo4bpp(*picture, 16, 0));
}

static void draw_shaded(PIX **picture) {
    pixInvert(*picture, *picture);
    shade(*picture);
}

static void draw_specks(PIX **picture) {
    replace(picture, pixAddBorder(*picture, 40, 0));
    for (int i = 0; i < 12; i++)
        pixSetPixel(*picture, 3 + 11 * i, i % 2 ? 5 : 30, 255);
}

static void test_mnist_itself(void **state) {
    (void)state;
    check_drawn(1, NULL, IFF_PNG, 0.3, 1);
    check_drawn(1, draw_inverted, IFF_PNM, 0.3, 1);
}

static void test_sizes(void **state) {
    (void)state;
    for (int side = 2; side <= 10; side++)
        check_drawn(side, side % 2 ? draw_inverted : NULL, IFF_PNG, 0.3, 1);
    check_drawn(41, draw_inverted, IFF_PNG, 3, 6); /* 1148 pixels: shrunk first */
}

static void test_formats(void **state) {
    (void)state;
    check_drawn(6, draw_inverted, IFF_JFIF_JPEG, 1.5, 8);
    check_drawn(6, draw_red_on_blue, IFF_JFIF_JPEG, 4, 12);
    check_drawn(6, draw_inverted, IFF_PNM, 0.3, 1);
    check_drawn(6, draw_red_on_blue, IFF_PNM, 0.3, 1);
    check_drawn(6, draw_one_bit, IFF_PNM, 10, 20);
    check_drawn(6, draw_one_bit, IFF_PNG, 10, 20);
    check_drawn(6, draw_four_bits, IFF_PNG, 3, 6);
}

static void test_colours(void **state) {
    (void)state;
    check_drawn(4, draw_red_on_blue, IFF_PNG, 0.3, 1);
    check_drawn(4, draw_yellow_on_white, IFF_PNG, 0.3, 1);
    check_drawn(4, draw_colour_map, IFF_PNG, 6, 12);
    check_drawn(4, draw_transparent, IFF_PNG, 0.3, 1);
}

static void test_surroundings(void **state) {
    (void)state;
    check_drawn(5, draw_with_margins, IFF_PNG, 0.3, 1);
    check_drawn(5, draw_with_margins, IFF_JFIF_JPEG, 1.5, 8);
    check_drawn(5, draw_specks, IFF_PNG, 0.3, 1);
    check_drawn(5, draw_shaded, IFF_PNG, 5, 15);
    check_drawn(5, draw_shaded, IFF_JFIF_JPEG, 5, 15);
}

/* Of any shape: as large as MNIST's makers' in proportion, and centred by mass. */
static void test_shapes(void **state) {
    (void)state;
    static const ImageSpec specs[] = {{16, 16, 10, 0, false},
                                      {8, 8, 10, 0, false},
                                      {64, 64, 10, 0, false},
                                      {33, 20, 10, 0, false},
                                      {9, 60, 10, 0, false}};
    for (int64_t i = 0; i < 5 * DIGITS; i++) {
        const ImageSpec spec = specs[i % 5];
        PIX *picture = picture_of(digits.images + i / 5 * IMAGE_PIXELS, 7);
        assert_int_equal(pixWrite(path, picture, IFF_PNG), 0);
        pixDestroy(&picture);
        uint8_t image[PIXELS_MAX];
        Status status = {0};
        if (digitize_picture(path, spec, image, &status)) fail_msg("digit %d: %s", (int)i, status.text);
        int top = spec.height, bottom = 0, left = spec.width, right = 0;
        double mass = 0, sum_x = 0, sum_y = 0;
        for (int y = 0; y < spec.height; y++)
            for (int x = 0; x < spec.width; x++) {
                const int value = image[y * spec.width + x];
                mass += value, sum_x += value * (double)x, sum_y += value * (double)y;
                if (value < 32) continue;
                top = L_MIN(top, y), bottom = L_MAX(bottom, y + 1);
                left = L_MIN(left, x), right = L_MAX(right, x + 1);
            }
        const double tall = (bottom - top) * 28.0 / spec.height, wide = (right - left) * 28.0 / spec.width;
        const double larger = L_MAX(tall, wide), pixel = 28.0 / L_MIN(spec.height, spec.width);
        if (fabs(larger - 20) > 1.5 * pixel) fail_msg("digit %d fills %.1f of 28", (int)i, larger);
        assert_true(fabs(sum_x / mass - spec.width / 2) < 0.9 && fabs(sum_y / mass - spec.height / 2) < 0.9);
    }
}

static void assert_refused(const char *picture, const char *says) {
    uint8_t image[IMAGE_PIXELS];
    Status status = {0};
    if (digitize_picture(picture, image_spec_mnist(), image, &status) == STATUS_OK)
        fail_msg("it should be refused: %s", says);
    if (!strstr(status.text, picture) || !strstr(status.text, says))
        fail_msg("expected \"%s\" and \"%s\" in: %s", picture, says, status.text);
}

static void write_bytes(const void *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static void test_no_picture(void **state) {
    (void)state;
    assert_refused("/proc/nonexistent/picture.png", "No such file");
    assert_refused(folder, "holds no picture");
    write_bytes("This is a text and no picture at all, though it is long enough to be one.\n", 74);
    assert_refused(path, "isn't a PNG, JPEG, TIFF");
    write_bytes("", 0);
    assert_refused(path, "is empty");
    write_bytes("P5\n60000 60000\n255\n", 19);
    assert_refused(path, "scale it down");
}

static void test_blank(void **state) {
    (void)state;
    const int sizes[][2] = {{1, 1}, {2, 2}, {1, 300}, {300, 1}, {28, 28}, {3000, 2}, {1200, 1200}};
    for (int i = 0; i < 7; i++)
        for (int value = 0; value < 256; value += 85) {
            PIX *blank = pixCreate(sizes[i][0], sizes[i][1], 8);
            pixSetAllArbitrary(blank, (l_uint32)value);
            pixWrite(path, blank, IFF_PNG);
            pixDestroy(&blank);
            assert_refused(path, "blank");
        }
    const uint8_t none[IMAGE_PIXELS] = {0};
    PIX *paper = picture_of(none, 8);
    draw_shaded(&paper);
    pixWrite(path, paper, IFF_JFIF_JPEG);
    pixDestroy(&paper);
    assert_refused(path, "blank");
}

static void test_truncated(void **state) {
    (void)state;
    const int formats[] = {IFF_PNG, IFF_JFIF_JPEG, IFF_PNM};
    for (int f = 0; f < 3; f++) {
        PIX *picture = picture_of(digits.images, 8);
        assert_int_equal(pixWrite(path, picture, formats[f]), 0);
        pixDestroy(&picture);
        uint8_t bytes[1 << 16];
        FILE *file = fopen(path, "rb");
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        assert_true(size > 300 && size < sizeof bytes);
        for (int part = 1; part < 10; part++) {
            write_bytes(bytes, size * (size_t)part / 10);
            assert_refused(path, "damaged");
        }
    }
}

/* Digits i and k, half as wide as they were, so close that they touch. */
static PIX *narrow_pair(int64_t i, int64_t k) {
    PIX *page = pixCreate(240, 240, 8);
    const int64_t which[] = {i, k};
    for (int d = 0, right = 0; d < 2; d++) {
        PIX *digit = picture_of(digits.images + which[d] * IMAGE_PIXELS, 6),
            *narrow = pixScale(digit, 0.5f, 1), *clipped = NULL;
        PIX *mask = pixThresholdToBinary(narrow, 128);
        BOX *box = NULL;
        pixInvert(mask, mask);
        pixClipToForeground(mask, NULL, &box);
        clipped = pixClipRectangle(narrow, box, NULL);
        const int x = d ? right - 4 : 60;
        pixRasterop(page, x, 60, pixGetWidth(clipped), pixGetHeight(clipped), PIX_PAINT, clipped, 0, 0);
        right = x + pixGetWidth(clipped);
        pixDestroy(&clipped);
        boxDestroy(&box);
        pixDestroy(&mask);
        pixDestroy(&narrow);
        pixDestroy(&digit);
    }
    return page;
}

/* How many readings of two parts that may be believed a picture has. */
static int count_cuts(PIX **picture) {
    FoundDigits found = {.spec = image_spec_mnist()};
    UnreadPages unread = {0};
    int cuts = 0;
    assert_int_equal(pixWrite(path, *picture, IFF_PNG), 0);
    pixDestroy(picture);
    digitize_pages(path, 0, false, &found, &unread);
    assert_int_equal(unread.count, 0);
    for (int64_t i = 0; i < found.count; i++)
        cuts += found.digits[i].part == 1 && !found.digits[i].badly_cut;
    found_digits_free(&found);
    return cuts;
}

/* Two digits that touch are cut though together they are narrower than high; one digit isn't. */
static void test_narrow_pairs(void **state) {
    (void)state;
    const int64_t pairs[][2] = {{0, 0}, {0, 1}, {0, 6}}; /* 77, 72 and 74 */
    for (int p = 0; p < 3; p++) {
        PIX *pair = narrow_pair(pairs[p][0], pairs[p][1]);
        pixInvert(pair, pair);
        if (!count_cuts(&pair)) fail_msg("pair %d isn't cut", p);
    }
    for (int64_t i = 0; i < 8; i++) {
        PIX *one = picture_of(digits.images + i * IMAGE_PIXELS, 6);
        pixInvert(one, one);
        if (count_cuts(&one)) fail_msg("digit %d is cut", (int)i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mnist_itself), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_formats),      cmocka_unit_test(test_colours),
        cmocka_unit_test(test_surroundings), cmocka_unit_test(test_no_picture),
        cmocka_unit_test(test_shapes),       cmocka_unit_test(test_blank),
        cmocka_unit_test(test_truncated),    cmocka_unit_test(test_narrow_pairs),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
