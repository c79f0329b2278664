/* Files of HDF5 that are whole by their checksum, but hold numbers that can't be. What the fuzzers found. */
#include "ensemble/families.h"
#include "ensemble/members_config.h"
#include "knn/model.h"
#include "model/draw.h"
#include "store/h5io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t odd[] = {-1, INT64_MIN, 4, (int64_t)1 << 61, INT64_MAX};
enum { ODD = sizeof odd / sizeof *odd };

/* Opens a file in which a number has that value: /state's members, and what a KNN's trials need. */
static H5File *open_with(int64_t value, char *path) {
    enum { IMAGES = 3, K_MAX = 2 };
    const uint8_t pixels[IMAGES * 64] = {0};
    const int64_t right[K_MAX + 1] = {0};
    Status status = {0};
    H5File *file;
    close(mkstemp(path));
    h5_create(&file, path, &status);
    h5_set_i64(file, "/state", "members", value, &status);
    h5_write(file, "/model/reference/images", H5_U8, (H5Shape){3, {IMAGES, 8, 8}}, pixels, &status);
    h5_write(file, "/state/leave_one_out", H5_I64, (H5Shape){1, {K_MAX + 1}}, right, &status);
    h5_set_i64(file, "/state/leave_one_out", "next", value, &status);
    h5_close(&file, &status);
    assert_int_equal(h5_open(&file, path, &status), STATUS_OK);
    unlink(path);
    return file;
}

static void test_members_of_a_file_are_between_0_and_all(void **state) {
    (void)state;
    Config *config = config_create(&model_families.keys);
    Status set = {0};
    config_set(config, "cnn.members=3", "--set", &set);
    for (int i = 0; i < ODD; i++) {
        char path[] = "/tmp/pardigits-hostile-XXXXXX";
        Status status = {0}, ignored = {0};
        int64_t count;
        H5File *file = open_with(odd[i], path);
        assert_int_equal(members_count(file, config, &count, &status), STATUS_FAILED);
        assert_non_null(strstr(status.text, "damaged"));
        h5_close(&file, &ignored);
    }
    config_destroy(&config);
}

static void test_images_tried_by_knn_are_between_0_and_all(void **state) {
    (void)state;
    for (int i = 0; i < ODD; i++) {
        char path[] = "/tmp/pardigits-hostile-XXXXXX";
        Status status = {0}, ignored = {0};
        int64_t right[3];
        KnnTrials trials = {.k_max = 2, .right = right};
        H5File *file = open_with(odd[i], path);
        assert_int_equal(knn_trials_read(file, 3, &trials, &status), STATUS_FAILED);
        assert_non_null(strstr(status.text, "damaged"));
        h5_close(&file, &ignored);
    }
}

/* Shapes of more items than the file has bytes, though their product is 0, or is 0 modulo 2^64. */
static void test_shapes_that_the_file_cannot_hold_are_damage(void **state) {
    (void)state;
    const H5Shape shapes[] = {{2, {(int64_t)1 << 60, 0}}, {3, {(int64_t)1 << 60, 28, 28}}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char path[] = "/tmp/pardigits-hostile-XXXXXX", digest[65];
        Status status = {0};
        H5File *file;
        H5Shape shape;
        close(mkstemp(path));
        h5_create(&file, path, &status);
        assert_int_equal(h5_write(file, "/model/none", H5_F32, shapes[i], NULL, &status), STATUS_OK);
        h5_close(&file, &status);
        assert_int_equal(h5_open(&file, path, &status), STATUS_OK);
        unlink(path);
        alarm(10);
        assert_int_equal(h5_shape(file, "/model/none", &shape, &status), STATUS_FAILED);
        status = (Status){0};
        assert_int_equal(h5_digest(file, digest, &status), STATUS_FAILED);
        alarm(0);
        status = (Status){0};
        h5_close(&file, &status);
    }
}

/* A filter that isn't square has fewer weights than it would have as a square. */
static void test_filters_that_are_not_square_are_damage(void **state) {
    (void)state;
    char path[] = "/tmp/pardigits-hostile-XXXXXX";
    Status status = {0}, ignored = {0};
    H5File *file;
    const float weights[5 * 8] = {0};
    close(mkstemp(path));
    h5_create(&file, path, &status);
    h5_write(file, "/model/conv1/weights", H5_F32, (H5Shape){4, {5, 1, 1, 8}}, weights, &status);
    h5_close(&file, &status);
    assert_int_equal(h5_open(&file, path, &status), STATUS_OK);
    unlink(path);
    assert_int_equal(draw_filters(file, "/model/conv1/weights", image_spec_mnist(), "none.png", &status),
                     STATUS_FAILED);
    assert_non_null(strstr(status.text, "damaged"));
    h5_close(&file, &ignored);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_of_a_file_are_between_0_and_all),
        cmocka_unit_test(test_images_tried_by_knn_are_between_0_and_all),
        cmocka_unit_test(test_shapes_that_the_file_cannot_hold_are_damage),
        cmocka_unit_test(test_filters_that_are_not_square_are_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
