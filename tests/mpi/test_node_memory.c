/* Memory that the ranks of a node have in common. */
#include "core/mem.h"
#include "parallel/node_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 5000 };

/* Each rank writes its part and reads all; sums by atomic additions. */
static void check_memory(const Comm *node) {
    const int rank = comm_rank(node), size = comm_size(node);
    int *values = node_memory_new(node, N, sizeof *values);
    atomic_int *count = node_memory_new(node, 1, sizeof *count);
    assert_int_equal((size_t)values % MEM_ALIGNMENT, 0);
    for (int i = 0; i < N; i++)
        assert_int_equal(values[i], 0);
    comm_barrier(node);
    for (int i = rank; i < N; i += size)
        values[i] = i + 1;
    for (int i = 0; i < N; i++)
        atomic_fetch_add(count, 1);
    comm_barrier(node);
    for (int i = 0; i < N; i++)
        assert_int_equal(values[i], i + 1);
    assert_int_equal(atomic_load(count), N * size);
    node_memory_free(node, count);
    node_memory_free(node, values);
}

/* All tests run on one machine. */
static void test_whole_node(void **state) {
    const Comm *comm = *state;
    Comm *node = node_ranks(comm);
    assert_int_equal(comm_size(node), comm_size(comm));
    assert_int_equal(comm_rank(node), comm_rank(comm));
    check_memory(node);
    comm_destroy(&node);
    check_memory(comm);
}

static void test_parts_of_a_node(void **state) {
    const Comm *comm = *state;
    const int rank = comm_rank(comm), size = comm_size(comm);
    setenv("PARDIGITS_NODE_RANKS", "2", 1);
    Comm *node = node_ranks(comm);
    unsetenv("PARDIGITS_NODE_RANKS");
    assert_int_equal(comm_size(node), size % 2 && rank == size - 1 ? 1 : 2);
    assert_int_equal(comm_rank(node), rank % 2);
    check_memory(node);
    comm_destroy(&node);
}

static void test_alone(void **state) {
    (void)state;
    double *value = node_memory_new(NULL, 3, sizeof *value);
    assert_true(value[0] == 0 && value[2] == 0);
    node_memory_free(NULL, value);
    node_memory_free(NULL, NULL);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_whole_node, comm),
        cmocka_unit_test_prestate(test_parts_of_a_node, comm),
        cmocka_unit_test(test_alone),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
