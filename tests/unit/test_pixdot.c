#include "core/mem.h"
#include "core/rng.h"
#include "kernels/pixdot.h"

#include "ref/pixdot_ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

enum { GUARD = 0x5a5a5a5a };

static uint8_t *random_pixels(int64_t rows, int columns, uint32_t seed) {
    int64_t n = rows * columns;
    uint8_t *pixels = mem_new((size_t)n + 16, 1);
    for (int64_t i = 0; i < n; i += 16) {
        uint32_t bits[4];
        rng_u32x4((RngKey){seed, RNG_TEST}, 0, (uint64_t)i, 0, bits);
        memcpy(pixels + i, bits, sizeof bits);
    }
    return pixels;
}

static uint8_t *constant_pixels(int64_t rows, int columns, uint8_t value) {
    uint8_t *pixels = mem_new((size_t)(rows * columns), 1);
    memset(pixels, value, (size_t)(rows * columns));
    return pixels;
}

/* A block of products must equal the reference, and nothing beside it may be written. */
static void check_block(const uint8_t *a, int64_t a_rows, const uint8_t *b, int64_t b_rows, int columns,
                        int64_t a_first, int64_t a_count, int64_t b_first, int64_t b_count) {
    int64_t stride = b_count + 3, size = (a_count + 1) * stride;
    int32_t *out = mem_new((size_t)size, sizeof *out);
    for (int64_t i = 0; i < size; i++)
        out[i] = GUARD;
    PixRows packed_a = pix_rows_new(a, a_rows, columns), packed_b = pix_rows_new(b, b_rows, columns);
    pixdot_block(&packed_a, a_first, a_count, &packed_b, b_first, b_count, out, stride);
    for (int64_t i = 0; i < a_count + 1; i++)
        for (int64_t j = 0; j < stride; j++) {
            int64_t expected = GUARD;
            if (i < a_count && j < b_count)
                expected = ref_pixdot(a + (a_first + i) * columns, b + (b_first + j) * columns, columns);
            if (out[i * stride + j] != expected)
                fail_msg("columns %d, rows %ld + %ld, %ld + %ld: product (%ld, %ld) is %d, not %ld", columns,
                         a_first, a_count, b_first, b_count, i, j, out[i * stride + j], expected);
        }
    pix_rows_free(&packed_a);
    pix_rows_free(&packed_b);
    mem_free(out);
}

static const int column_counts[] = {0,  1,  2,  3,  4,   5,   7,   8,    9,    15,   16,
                                    17, 63, 64, 65, 256, 783, 784, 2047, 2049, 4096, 4099};
static const int64_t row_counts[] = {0, 1, 2, 11, 12, 13, 31, 33, 70};

static void every_size_equals_the_reference(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof column_counts / sizeof *column_counts; c++)
        for (size_t i = 0; i < sizeof row_counts / sizeof *row_counts; i++)
            for (size_t j = 0; j < sizeof row_counts / sizeof *row_counts; j++) {
                if (column_counts[c] > 100 && row_counts[i] * row_counts[j] > 1200) continue;
                uint8_t *a = random_pixels(row_counts[i], column_counts[c], 1);
                uint8_t *b = random_pixels(row_counts[j], column_counts[c], 2);
                check_block(a, row_counts[i], b, row_counts[j], column_counts[c], 0, row_counts[i], 0,
                            row_counts[j]);
                mem_free(a);
                mem_free(b);
            }
}

static void any_sub_block_equals_the_reference(void **state) {
    (void)state;
    const int columns = 65;
    uint8_t *a = random_pixels(70, columns, 3), *b = random_pixels(90, columns, 4);
    for (int64_t first = 0; first < 40; first++)
        for (int64_t count = 0; count <= 50; count += 7)
            check_block(a, 70, b, 90, columns, first / 2, count, first, count);
    mem_free(a);
    mem_free(b);
}

static void long_sub_block_equals_the_reference(void **state) {
    (void)state;
    const int columns = 5000; /* several passes over the columns, whole and partial tiles in each */
    uint8_t *a = random_pixels(40, columns, 5), *b = random_pixels(80, columns, 6);
    check_block(a, 40, b, 80, columns, 1, 39, 5, 75);
    mem_free(a);
    mem_free(b);
}

static void extreme_pixels_do_not_overflow(void **state) {
    (void)state;
    const int columns[] = {1, 784, 4096, PIXDOT_MAX_COLUMNS};
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        uint8_t *full = constant_pixels(33, columns[c], 255), *empty = constant_pixels(33, columns[c], 0);
        check_block(full, 33, full, 33, columns[c], 0, 33, 0, 33);
        check_block(full, 33, empty, 33, columns[c], 0, 33, 0, 33);
        check_block(empty, 33, full, 33, columns[c], 0, 33, 0, 33);
        check_block(empty, 33, empty, 33, columns[c], 0, 33, 0, 33);
        mem_free(full);
        mem_free(empty);
    }
}

static void rows_with_themselves_give_their_norms(void **state) {
    (void)state;
    const int64_t rows = 50;
    const int columns = 784;
    uint8_t *pixels = random_pixels(rows, columns, 7);
    PixRows packed = pix_rows_new(pixels, rows, columns);
    int32_t *out = mem_new((size_t)(rows * rows), sizeof *out);
    pixdot_block(&packed, 0, rows, &packed, 0, rows, out, rows);
    for (int64_t i = 0; i < rows; i++) {
        assert_int_equal(packed.norms[i], ref_pixdot(pixels + i * columns, pixels + i * columns, columns));
        for (int64_t j = 0; j < rows; j++) {
            assert_int_equal(out[i * rows + j],
                             ref_pixdot(pixels + i * columns, pixels + j * columns, columns));
            assert_int_equal(out[i * rows + j], out[j * rows + i]);
        }
    }
    mem_free(out);
    pix_rows_free(&packed);
    mem_free(pixels);
}

static void chosen_rows_equal_the_reference(void **state) {
    (void)state;
    const int columns = 784;
    const int64_t chosen[] = {61, 0, 5, 5, 17, 16, 15, 32, 60, 1, 2, 3, 40, 61};
    const int64_t count = sizeof chosen / sizeof *chosen, b_first = 3, b_count = 50;
    uint8_t *a = random_pixels(62, columns, 8), *b = random_pixels(53, columns, 9);
    PixRows packed_a = pix_rows_new(a, 62, columns), packed_b = pix_rows_new(b, 53, columns);
    int32_t *out = mem_new((size_t)(count * b_count), sizeof *out);
    pixdot_rows(&packed_a, chosen, count, &packed_b, b_first, b_count, out, b_count);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < b_count; j++)
            assert_int_equal(out[i * b_count + j],
                             ref_pixdot(a + chosen[i] * columns, b + (b_first + j) * columns, columns));
    mem_free(out);
    pix_rows_free(&packed_a);
    pix_rows_free(&packed_b);
    mem_free(a);
    mem_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_equals_the_reference),
        cmocka_unit_test(any_sub_block_equals_the_reference),
        cmocka_unit_test(long_sub_block_equals_the_reference),
        cmocka_unit_test(extreme_pixels_do_not_overflow),
        cmocka_unit_test(rows_with_themselves_give_their_norms),
        cmocka_unit_test(chosen_rows_equal_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
