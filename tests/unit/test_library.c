/* What the library leaves of its own in the program that uses it. */
#include "pardigits/pardigits.h"

#include <hdf5.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char no_model[] = "README.md"; /* a file, but none of HDF5 */

static herr_t count_2(hid_t stack, void *failures) {
    (void)stack;
    (*(int *)failures)++;
    return 0;
}

static herr_t count_1(void *failures) {
    return count_2(0, failures);
}

/* The caller's report is called for failures of its own calls, and for none of the library's. */
static void check_reports(const int *failures) {
    const int before = *failures;
    assert_null(pardigits_open(no_model));
    assert_int_equal(*failures, before);
    assert_true(H5Fopen(no_model, H5F_ACC_RDONLY, H5P_DEFAULT) < 0);
    assert_int_equal(*failures, before + 1);
}

static void test_hdf5_reports_errors_as_before(void **state) {
    (void)state;
    int failures = 0;
    H5Eset_auto2(H5E_DEFAULT, count_2, &failures);
    check_reports(&failures);
    H5Eset_auto1(count_1, &failures);
    check_reports(&failures);
}

static void test_environment_is_as_before(void **state) {
    (void)state;
    assert_null(getenv("HDF5_USE_FILE_LOCKING"));
    assert_null(pardigits_open(no_model));
    assert_null(getenv("HDF5_USE_FILE_LOCKING"));
}

int main(void) {
    unsetenv("HDF5_USE_FILE_LOCKING");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hdf5_reports_errors_as_before),
        cmocka_unit_test(test_environment_is_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
