/* Shares of micro-batches that follow the ranks' speed, window after window. */
#include "cnn/balance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Goes through epochs of 10 steps with 60 micro-batches each, of which this rank computes one in each_s; log:
 * where changes are said. */
static void run_epochs(const Comm *comm, Log *log, BatchPartition *partition, Balance *balance, int epochs,
                       double each_s) {
    const int64_t steps = epoch_steps(partition);
    const int rank = comm_rank(comm);
    for (int epoch = 0; epoch < epochs; epoch++) {
        balance_begin_epoch(balance);
        for (int64_t step = 0; step < steps;) {
            const Range window = balance_next_window(balance, partition, step);
            assert_int_equal(window.begin, step);
            assert_in_range(window.end, step + 1, steps);
            for (; step < window.end; step++) {
                const int64_t mine = balance->shares[rank];
                balance_add_step(balance, mine,
                                 &(StepResult){.micro_batches_s = each_s * (double)mine, .update_s = 0.001});
            }
            balance_end_window(balance, partition, log);
        }
    }
}

static BatchPartition partition_for(const Comm *comm) {
    return (BatchPartition){6000, 600, 10, comm_size(comm), NULL};
}

/* Windows become longer, but however many there were, they are whole parts of an epoch. */
static void test_many_epochs(void **state) {
    const Comm *comm = *state;
    Log log = {0}; /* speaks to nobody */
    BatchPartition partition = partition_for(comm);
    Balance balance = balance_new(&partition, comm, true);
    run_epochs(comm, &log, &partition, &balance, 200, 0.01);
    assert_null(partition.cuts); /* equal ranks keep even shares */
    balance_free(&balance);
}

static void test_a_slow_rank_gets_less(void **state) {
    const Comm *comm = *state;
    Log log = {0}; /* speaks to nobody */
    BatchPartition partition = partition_for(comm);
    Balance balance = balance_new(&partition, comm, true);
    const int64_t even = balance.shares[0];
    run_epochs(comm, &log, &partition, &balance, 3, comm_rank(comm) == 0 ? 0.02 : 0.01);
    if (comm_size(comm) > 1) assert_in_range(balance.shares[0], 1, even - 1);
    int64_t all = 0;
    for (int r = 0; r < comm_size(comm); r++)
        all += balance.shares[r];
    assert_int_equal(all, 60);
    balance_free(&balance);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_many_epochs, comm),
        cmocka_unit_test_prestate(test_a_slow_rank_gets_less, comm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
