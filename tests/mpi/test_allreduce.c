/* Allreduces of own: every algorithm gives every rank the sum, at any size, several at the same time. */
#include "core/mem.h"
#include "parallel/allreduce.h"
#include "parallel/comm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <mpi.h>

/* Requests at the front of the list that are kept from being seen as done, while any other is under way. */
static int held_back;

/* In place of the library's. */
int MPI_Testsome(int count, MPI_Request requests[], int *done, int which[], MPI_Status statuses[]) {
    const int held = held_back < count ? held_back : 0;
    const int failed = PMPI_Testsome(count - held, requests + held, done, which, statuses);
    if (held && *done == MPI_UNDEFINED) return PMPI_Testsome(count, requests, done, which, statuses);
    for (int i = 0; held && i < *done; i++)
        which[i] += held;
    return failed;
}

/* What rank r adds to value i: of either sign, and so large that the sum over 8 ranks needs all bits. */
static int64_t share_of(SumType type, int r, int64_t i) {
    const uint64_t bits = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u + (uint64_t)r * 0xd1b54a32d192ed03u;
    return (int64_t)bits >> (64 - 8 * sum_type_bytes(type) + 3);
}

static void put(SumType type, void *values, int64_t i, int64_t value) {
    switch (type) {
    case SUM_I64:
        ((int64_t *)values)[i] = value;
        break;
    case SUM_I32:
        ((int32_t *)values)[i] = (int32_t)value;
        break;
    case SUM_I16:
        ((int16_t *)values)[i] = (int16_t)value;
        break;
    }
}

static void *new_values(SumType type, int64_t n, int first_rank, int end_rank) {
    void *values = mem_new((size_t)n, (size_t)sum_type_bytes(type));
    for (int64_t i = 0; i < n; i++) {
        int64_t total = 0;
        for (int r = first_rank; r < end_rank; r++)
            total += share_of(type, r, i);
        put(type, values, i, total);
    }
    return values;
}

static void check_sum(const Comm *comm, SumType type, int64_t n, const char *algorithm) {
    const int rank = comm_rank(comm);
    void *values = new_values(type, n, rank, rank + 1), *expected = new_values(type, n, 0, comm_size(comm));
    void *fresh = mem_copy(values, (size_t)(n * sum_type_bytes(type)));
    Allreduce *sum = allreduce_create(comm, type, values, n, algorithm, 3);
    for (int repeat = 0; repeat < 2; repeat++) { /* a plan serves many times */
        memcpy(values, fresh, (size_t)(n * sum_type_bytes(type)));
        allreduce_start(sum);
        allreduce_wait(sum);
        assert_memory_equal(values, expected, (size_t)(n * sum_type_bytes(type)));
    }
    allreduce_destroy(&sum);
    mem_free(fresh);
    mem_free(values);
    mem_free(expected);
}

static void test_every_algorithm_type_and_size(void **state) {
    static const int64_t sizes[] = {0, 1, 2, 3, 5, 1000, 30720, 30721, 123457};
    for (const char *const *name = allreduce_names(); *name; name++)
        for (SumType type = SUM_I64; type <= SUM_I16; type++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                check_sum(*state, type, sizes[s], *name);
}

static void test_chosen_algorithm(void **state) {
    check_sum(*state, SUM_I32, 100, NULL);
    check_sum(*state, SUM_I16, 2000003, NULL); /* more segments than lanes */
}

/* MPI may tell of messages in any order. */
static void test_late_lane(void **state) {
    held_back = comm_rank(*state) == 1 ? 2 : 0; /* a lane's messages */
    for (const char *const *name = allreduce_names(); *name; name++)
        check_sum(*state, SUM_I64, 1200007, *name);
    held_back = 0;
}

static void test_sums_side_by_side(void **state) {
    enum { SUMS = 3, N = 200001 };
    const Comm *comm = *state;
    const int rank = comm_rank(comm), ranks = comm_size(comm);
    void *values[SUMS], *expected = new_values(SUM_I32, N, 0, ranks);
    Allreduce *sums[SUMS];
    for (int s = 0; s < SUMS; s++) {
        values[s] = new_values(SUM_I32, N, rank, rank + 1);
        sums[s] = allreduce_create(comm, SUM_I32, values[s], N, NULL, s);
        allreduce_start(sums[s]);
    }
    for (int done = 0; done < SUMS;) { /* each rank looks at them in an order of its own */
        done = 0;
        for (int s = 0; s < SUMS; s++)
            done += allreduce_test(sums[(s + rank) % SUMS]);
    }
    for (int s = 0; s < SUMS; s++) {
        assert_memory_equal(values[s], expected, N * sizeof(int32_t));
        allreduce_destroy(&sums[s]);
        mem_free(values[s]);
    }
    mem_free(expected);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_every_algorithm_type_and_size, comm),
        cmocka_unit_test_prestate(test_chosen_algorithm, comm),
        cmocka_unit_test_prestate(test_late_lane, comm),
        cmocka_unit_test_prestate(test_sums_side_by_side, comm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
