/* Cutting work into parts. */
#include "core/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_partition(int64_t n, int64_t parts) {
    int64_t next = 0, previous_size = INT64_MAX;
    for (int64_t part = 0; part < parts; part++) {
        Range range = partition_range(n, parts, part);
        int64_t size = range_size(range);
        assert_int_equal(range.begin, next);
        assert_true(size == n / parts || size == n / parts + 1);
        assert_true(size <= previous_size);
        next = range.end;
        previous_size = size;
        if (size == 0) continue;
        assert_int_equal(partition_owner(n, parts, range.begin), part);
        assert_int_equal(partition_owner(n, parts, range.begin + size / 2), part);
        assert_int_equal(partition_owner(n, parts, range.end - 1), part);
    }
    assert_int_equal(next, n);
}

static void test_covers_in_order(void **state) {
    (void)state;
    for (int64_t n = 0; n <= 100; n++)
        for (int64_t parts = 1; parts <= 17; parts++)
            check_partition(n, parts);
}

static void test_every_item_has_its_owner(void **state) {
    (void)state;
    for (int64_t n = 1; n <= 100; n++)
        for (int64_t parts = 1; parts <= 17; parts++)
            for (int64_t item = 0; item < n; item++) {
                Range range = partition_range(n, parts, partition_owner(n, parts, item));
                assert_true(range.begin <= item && item < range.end);
            }
}

static void test_large_counts(void **state) {
    (void)state;
    const int64_t counts[] = {60000, 10000, (int64_t)1 << 31, ((int64_t)1 << 40) + 7};
    const int64_t parts[] = {1, 2, 3, 7, 128, 4099};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 6; j++)
            check_partition(counts[i], parts[j]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_covers_in_order),
        cmocka_unit_test(test_every_item_has_its_owner),
        cmocka_unit_test(test_large_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
