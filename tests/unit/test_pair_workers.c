/* Threads that help each other with chunks of work. */
#include "svm/pair_workers.h"

#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

static void count_chunk(void *context, int64_t chunk) {
    atomic_fetch_add((atomic_int *)context + chunk, 1);
}

static void pair_workers_does_each_chunk_once(void **state) {
    (void)state;
    enum { CHUNKS = 50, ROUNDS = 500 };
    static atomic_int counts[2][CHUNKS];
    PairWorkers *workers = pair_workers_create(4);
    atomic_int busy = 2;
#pragma omp parallel num_threads(4)
    {
        int thread = omp_get_thread_num();
        for (int round = 0; thread < 2 && round < ROUNDS; round++)
            pair_workers_run(workers, thread, count_chunk, counts[thread], CHUNKS);
        pair_workers_join(workers);
        if (thread < 2) atomic_fetch_sub(&busy, 1);
        while (atomic_load(&busy))
            pair_workers_help(workers);
    }
    for (int c = 0; c < CHUNKS; c++) {
        assert_int_equal(counts[0][c], ROUNDS);
        assert_int_equal(counts[1][c], ROUNDS);
    }
    pair_workers_destroy(&workers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pair_workers_does_each_chunk_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
