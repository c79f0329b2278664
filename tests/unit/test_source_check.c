/* A dataset that another program has changed: the hashes of where its images came from are theirs, or aren't
 * believed. */
#include "core/sha256.h"
#include "store/dataset.h"

#include <hdf5.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 5, ROWS = 8, COLUMNS = 9, PIXELS = ROWS * COLUMNS };

static char path[] = "/tmp/pardigits-source-XXXXXX";

static int start(void **state) {
    (void)state;
    const int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int finish(void **state) {
    (void)state;
    return unlink(path);
}

static uint8_t pixel(int image, int row, int column) {
    return (uint8_t)(50 * image + 9 * row + column);
}

/* The hashes of the IDX files that the images came from, perhaps transposed and with labels from 1. */
static ImageSource idx_source(bool changed) {
    const uint8_t images[16] = {
        0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, changed ? COLUMNS : ROWS, 0, 0, 0, changed ? ROWS : COLUMNS};
    const uint8_t labels[8] = {0, 0, 8, 1, 0, 0, 0, N};
    ImageSource source;
    Sha256 of_images, of_labels;
    sha256_begin(&of_images);
    sha256_begin(&of_labels);
    sha256_add(&of_images, images, sizeof images);
    sha256_add(&of_labels, labels, sizeof labels);
    for (int i = 0; i < N; i++) {
        for (int p = 0; p < PIXELS; p++) {
            const uint8_t value = changed ? pixel(i, p % ROWS, p / ROWS) : pixel(i, p / COLUMNS, p % COLUMNS);
            sha256_add(&of_images, &value, 1);
        }
        sha256_add(&of_labels, &(uint8_t){(uint8_t)(i % 2 + changed)}, 1);
    }
    sha256_end(&of_images, source.images_sha256);
    sha256_end(&of_labels, source.labels_sha256);
    return source;
}

static void write_dataset(const ImageSource *source) {
    Status status = {0};
    DatasetParts parts = {.train =
                              image_set_new(N, (ImageSpec){.height = ROWS, .width = COLUMNS, .classes = 2}),
                          .train_source = *source};
    for (int i = 0; i < N; i++) {
        for (int p = 0; p < PIXELS; p++)
            parts.train.images[i * PIXELS + p] = pixel(i, p / COLUMNS, p % COLUMNS);
        parts.train.labels[i] = (uint8_t)(i % 2);
    }
    parts.test.spec = parts.train.spec;
    if (dataset_write(path, &parts, &status)) fail_msg("%s", status.text);
    dataset_parts_free(&parts);
}

/* As h5py does; the file's checksum is gone then. */
static void change_byte(const char *array, bool really) {
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), data = H5Dopen2(file, array, H5P_DEFAULT);
    uint8_t bytes[N * PIXELS];
    assert_true(H5Dread(data, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    bytes[1] = (uint8_t)(bytes[1] ^ really);
    assert_true(H5Dwrite(data, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    H5Dclose(data);
    assert_true(H5Fclose(file) >= 0);
}

static void assert_source(const ImageSource *source, bool same_images, bool same_labels) {
    Comm *alone = comm_alone();
    Dataset dataset;
    Status status = {0};
    if (dataset_open(path, alone, &dataset, &status)) fail_msg("%s", status.text);
    assert_true(dataset.lacks_sum);
    assert_int_equal(!strcmp(dataset.train_source.images_sha256, source->images_sha256), same_images);
    assert_int_equal(!strcmp(dataset.train_source.labels_sha256, source->labels_sha256), same_labels);
    assert_int_equal(strlen(dataset.train_source.images_sha256), 64);
    dataset_close(&dataset);
    comm_destroy(&alone);
}

static void test_unchanged(void **state) {
    (void)state;
    for (int changed = 0; changed < 2; changed++) {
        const ImageSource source = idx_source(changed);
        write_dataset(&source);
        change_byte("/train/images", false);
        assert_source(&source, true, true);
    }
}

static void test_changed(void **state) {
    (void)state;
    const ImageSource source = idx_source(false);
    write_dataset(&source);
    change_byte("/train/labels", true);
    assert_source(&source, true, false);
    change_byte("/train/images", true);
    assert_source(&source, false, false);
}

static void assert_match(const ImageSource *source, const uint8_t *numbers, SourceMatch expected) {
    Comm *alone = comm_alone();
    Dataset dataset;
    Status status = {0};
    SourceMatch match = SOURCE_UNKNOWN;
    if (dataset_open(path, alone, &dataset, &status) ||
        dataset_compare(&dataset, alone, source, numbers, &match, &status))
        fail_msg("%s", status.text);
    assert_int_equal(match, expected);
    dataset_close(&dataset);
    comm_destroy(&alone);
}

/* Of a dataset without hashes those of its bytes are taken; those of its IDX files are its own too. */
static void test_unknown_is_found(void **state) {
    (void)state;
    const ImageSource none = {"", ""}, idx = idx_source(false), changed = idx_source(true);
    uint8_t numbers[CLASSES_MAX] = {1, 0};
    write_dataset(&none);
    assert_match(&idx, NULL, SOURCE_SAME);
    assert_match(&changed, NULL, SOURCE_SAME);
    assert_match(&none, NULL, SOURCE_UNKNOWN);
    assert_match(&idx, numbers, SOURCE_OTHER_LABELS);
    change_byte("/train/labels", true);
    assert_source(&idx, false, false);
    assert_match(&idx, NULL, SOURCE_OTHER_LABELS);
    change_byte("/train/images", true);
    assert_match(&idx, NULL, SOURCE_OTHER_IMAGES);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unchanged), cmocka_unit_test(test_changed),
                                       cmocka_unit_test(test_unknown_is_found)};
    return cmocka_run_group_tests(tests, start, finish);
}
