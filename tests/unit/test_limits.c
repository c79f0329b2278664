/* Limits of control groups, from trees that look like /proc and /sys of containers, Slurm and systemd. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

static char root[64];

static int make_root(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/pardigits-limits.XXXXXX");
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* A file below the root, with its folders. */
static void put(const char *path, const char *text) {
    char command[512];
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s/%s')\" && printf '%%b' '%s' >'%s/%s'", root,
             path, text, root, path);
    assert_int_equal(system(command), 0);
}

static void test_without_groups(void **state) {
    (void)state;
    assert_true(limits_cpu_quota(root) >= LIMITS_NO_QUOTA);
    assert_true(limits_memory_left(root) == INT64_MAX);
}

static void test_version_2_takes_the_least_above(void **state) {
    (void)state;
    put("proc/self/cgroup", "0::/job/step\\n");
    put("sys/fs/cgroup/job/step/cpu.max", "max 100000\\n");
    put("sys/fs/cgroup/job/cpu.max", "150000 100000\\n");
    put("sys/fs/cgroup/job/step/memory.max", "max\\n");
    put("sys/fs/cgroup/job/memory.max", "1000000\\n");
    put("sys/fs/cgroup/job/memory.current", "700000\\n");
    put("sys/fs/cgroup/job/memory.stat", "anon 1\\nfile 300000\\nshmem 100000\\n");
    assert_true(limits_cpu_quota(root) == 1.5);
    assert_true(limits_memory_left(root) == 500000);
}

static void test_container_sees_its_group_as_the_top(void **state) {
    (void)state;
    put("proc/self/cgroup", "0::/docker/0123\\n");
    put("sys/fs/cgroup/cpu.max", "200000 100000\\n");
    assert_true(limits_cpu_quota(root) == 2);
}

static void test_version_1(void **state) {
    (void)state;
    put("proc/self/cgroup", "9:name=systemd:/x\\n4:cpu,cpuacct:/a/b\\n3:memory:/m\\n0::/x\\n");
    put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\\n");
    put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\\n");
    put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "50000\\n");
    put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\\n");
    put("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "4096\\n");
    put("sys/fs/cgroup/memory/m/memory.usage_in_bytes", "96\\n");
    assert_true(limits_cpu_quota(root) == 0.5);
    assert_true(limits_memory_left(root) == 4000);
}

static void test_groups_that_share_a_quota(void **state) {
    (void)state;
    put("sys/fs/cgroup/job/cpu.max", "100000 100000\\n");
    put("proc/self/cgroup", "0::/job/task_0\\n");
    const uint64_t first = limits_cpu_group(root);
    put("proc/self/cgroup", "0::/job/task_1\\n");
    assert_true(limits_cpu_group(root) == first);
    put("proc/self/cgroup", "0::/other\\n");
    put("sys/fs/cgroup/other/cpu.max", "100000 100000\\n");
    assert_true(limits_cpu_group(root) != first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_without_groups, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_version_2_takes_the_least_above, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_container_sees_its_group_as_the_top, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_version_1, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_groups_that_share_a_quota, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
