/* A dataset of IDX files whose labels begin with 1, whose images lie on their side, and whose classes have
 * names. */
#include "data/idx_parts.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 3, ROWS = 8, COLUMNS = 10, PIXELS = ROWS * COLUMNS };

static char folder[] = "/tmp/pardigits-parts-XXXXXX";
static const char *const files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "names"};

static void file_path(int file, char path[PATH_MAX]) {
    snprintf(path, PATH_MAX, "%s/%s", folder, files[file]);
}

static int start(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int finish(void **state) {
    (void)state;
    char path[PATH_MAX];
    for (int f = 0; f < 5; f++) {
        file_path(f, path);
        unlink(path);
    }
    return rmdir(folder);
}

static void write_bytes(int file, const void *bytes, size_t count) {
    char path[PATH_MAX];
    file_path(file, path);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, count, stream), count);
    assert_int_equal(fclose(stream), 0);
}

/* Image i has the pixel 80 * i + its place. */
static void write_part(int part, const uint8_t labels[N], int columns) {
    uint8_t images[16 + N * PIXELS] = {0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, ROWS, 0, 0, 0, (uint8_t)columns};
    uint8_t numbers[8 + N] = {0, 0, 8, 1, 0, 0, 0, N};
    for (int i = 0; i < N * ROWS * columns; i++)
        images[16 + i] = (uint8_t)(80 * (i / (ROWS * columns)) + i % (ROWS * columns));
    memcpy(numbers + 8, labels, N);
    write_bytes(2 * part, images, 16 + (size_t)(N * ROWS * columns));
    write_bytes(2 * part + 1, numbers, sizeof numbers);
}

static StatusCode read_parts(int labels_from, bool transpose, const char *names, DatasetParts *parts,
                             Status *status) {
    char path[PATH_MAX];
    file_path(4, path);
    if (names) write_bytes(4, names, strlen(names));
    *status = (Status){0};
    const IdxOptions options = {labels_from, transpose, names ? path : NULL};
    return idx_parts_read(folder, &options, parts, status);
}

static void assert_refused(int labels_from, const char *names, const char *says) {
    DatasetParts parts;
    Status status;
    assert_int_equal(read_parts(labels_from, false, names, &parts, &status), STATUS_FAILED);
    if (!strstr(status.text, says)) fail_msg("expected \"%s\" in: %s", says, status.text);
    dataset_parts_free(&parts);
}

static void test_labels_from_1(void **state) {
    (void)state;
    DatasetParts parts;
    Status status;
    write_part(0, (const uint8_t[]){1, 3, 2}, COLUMNS);
    write_part(1, (const uint8_t[]){3, 1, 2}, COLUMNS);
    if (read_parts(1, false, NULL, &parts, &status)) fail_msg("%s", status.text);
    assert_int_equal(parts.train.spec.classes, 3);
    assert_int_equal(parts.test.spec.classes, 3);
    assert_memory_equal(parts.train.labels, ((const uint8_t[]){0, 2, 1}), N);
    assert_memory_equal(parts.test.labels, ((const uint8_t[]){2, 0, 1}), N);
    dataset_parts_free(&parts);
    assert_refused(-1, NULL, "use --labels-from 1");
    if (read_parts(0, false, NULL, &parts, &status)) fail_msg("%s", status.text);
    assert_int_equal(parts.train.spec.classes, 4);
    dataset_parts_free(&parts);
    write_part(1, (const uint8_t[]){0, 2, 3}, COLUMNS);
    assert_refused(1, NULL, "has images labelled 0, 1 in all");
    write_part(1, (const uint8_t[]){1, 2, 3}, COLUMNS);
    assert_refused(1, "a\nb\n", "has the label 3, but only 2 classes have names"); /* as the file says */
}

static void test_transpose(void **state) {
    (void)state;
    DatasetParts parts;
    Status status;
    write_part(0, (const uint8_t[]){0, 1, 0}, COLUMNS);
    write_part(1, (const uint8_t[]){0, 1, 0}, COLUMNS);
    if (read_parts(-1, true, NULL, &parts, &status)) fail_msg("%s", status.text);
    const ImageSet *const sets[] = {&parts.train, &parts.test};
    for (int s = 0; s < 2; s++) {
        assert_int_equal(sets[s]->spec.height, COLUMNS);
        assert_int_equal(sets[s]->spec.width, ROWS);
        for (int i = 0; i < N * PIXELS; i++) {
            const int row = i % PIXELS / ROWS, column = i % ROWS;
            assert_int_equal(sets[s]->images[i], 80 * (i / PIXELS) + column * COLUMNS + row);
        }
    }
    dataset_parts_free(&parts);
    write_part(1, (const uint8_t[]){0, 1, 0}, COLUMNS - 1);
    assert_refused(-1, NULL, "the test images have 8 x 9 pixels, but the training images 8 x 10");
}

static void test_names(void **state) {
    (void)state;
    DatasetParts parts;
    Status status;
    char many[257 * 4 + 1] = "";
    write_part(0, (const uint8_t[]){0, 1, 0}, COLUMNS);
    write_part(1, (const uint8_t[]){0, 1, 0}, COLUMNS);
    if (read_parts(-1, false, "a\nb\r\nc\n", &parts, &status)) fail_msg("%s", status.text);
    assert_int_equal(parts.train.spec.classes, 3);
    assert_int_equal(parts.class_names.count, 3);
    assert_string_equal(parts.class_names.names[1], "b");
    dataset_parts_free(&parts);
    assert_refused(-1, "one\n", "names 1 classes");
    for (int i = 0; i < 257; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%03d\n", i);
    assert_refused(-1, many, "more than 256 names");
    write_part(0, (const uint8_t[]){0, 1, 5}, COLUMNS);
    assert_refused(-1, "a\nb\nc\n", "has the label 5, but only 3 classes have names");
    write_part(0, (const uint8_t[]){0, 1, 200}, COLUMNS);
    assert_refused(-1, NULL, "they look damaged");
    write_part(0, (const uint8_t[]){0, 0, 0}, COLUMNS);
    assert_refused(-1, NULL, "expected at least 2");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_labels_from_1), cmocka_unit_test(test_transpose),
                                       cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, start, finish);
}
