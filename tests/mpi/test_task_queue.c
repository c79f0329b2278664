/* Tasks that all ranks take: each is given once, and slow ranks take fewer. */
#include "core/mem.h"
#include "parallel/task_queue.h"

#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

enum { THREADS = 3 };

/* One thread's part in taking tasks. */
typedef struct {
    TaskQueue *queue;
    int thread;
} Taker;

static bool poll_main(void *context) {
    const Taker *taker = context;
    if (taker->thread == 0) task_queue_poll(taker->queue);
    return false;
}

/* Takes tasks until there are none, but not more than `most` a thread; seen [tasks] counts those of this
 * rank. */
static void take_tasks(TaskQueue *queue, int threads, int most, int task_ms, uint64_t *seen) {
    atomic_int working = threads;
#pragma omp parallel num_threads(threads)
    {
        Taker taker = {queue, omp_get_thread_num()};
        for (int k = 0; k < most; k++) {
            const int64_t task = task_queue_wait(queue, taker.thread, poll_main, &taker);
            if (task < 0) break;
#pragma omp atomic
            seen[task]++;
            for (int ms = 0; ms < task_ms; ms++) {
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
                poll_main(&taker);
            }
        }
        atomic_fetch_sub(&working, 1);
        while (taker.thread == 0 && atomic_load(&working) > 0)
            task_queue_poll(queue);
    }
}

static void test_each_task_is_given_once(void **state) {
    const Comm *comm = *state;
    const int64_t counts[] = {0, 1, 2, 7, 100};
    for (int c = 0; c < 5; c++)
        for (int threads = 1; threads <= THREADS; threads += 2) {
            uint64_t *seen = mem_new((size_t)counts[c], sizeof *seen);
            TaskQueue *queue = task_queue_create(comm, counts[c], threads);
            take_tasks(queue, threads, 1000, 0, seen);
            task_queue_leave(queue, NULL);
            task_queue_destroy(&queue);
            comm_sum_u64(comm, seen, counts[c]);
            for (int64_t t = 0; t < counts[c]; t++)
                assert_int_equal(seen[t], 1);
            mem_free(seen);
        }
}

/* The last rank takes ten times as long for a task. */
static void test_slow_ranks_take_fewer(void **state) {
    const Comm *comm = *state;
    enum { TASKS = 60 };
    const int last = comm_size(comm) - 1;
    const bool is_slow = last > 0 && comm_rank(comm) == last;
    uint64_t seen[TASKS] = {0}, taken = 0, all = 0;
    TaskQueue *queue = task_queue_create(comm, TASKS, 1);
    take_tasks(queue, 1, 1000, is_slow ? 20 : 2, seen);
    task_queue_leave(queue, NULL);
    task_queue_destroy(&queue);
    for (int t = 0; t < TASKS; t++)
        taken += seen[t];
    if (is_slow) assert_in_range(taken, 0, TASKS / (2 * (uint64_t)(last + 1)));
    all = taken;
    comm_sum_u64(comm, &all, 1);
    assert_int_equal(all, TASKS);
}

/* Who leaves early loses at most what was on its way; rank 0 may be the first to leave. */
static void test_leaving_early(void **state) {
    const Comm *comm = *state;
    enum { TASKS = 50 };
    for (int early = 0; early < comm_size(comm); early++) {
        uint64_t seen[TASKS] = {0};
        TaskQueue *queue = task_queue_create(comm, TASKS, THREADS);
        take_tasks(queue, THREADS, comm_rank(comm) == early ? 1 : 1000, 0, seen);
        task_queue_leave(queue, NULL);
        task_queue_destroy(&queue);
        comm_sum_u64(comm, seen, TASKS);
        int lost = 0;
        for (int t = 0; t < TASKS; t++) {
            assert_in_range(seen[t], 0, 1);
            lost += seen[t] == 0;
        }
        if (comm_size(comm) > 1) assert_int_equal(lost, 0);
    }
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_each_task_is_given_once, comm),
        cmocka_unit_test_prestate(test_slow_ranks_take_fewer, comm),
        cmocka_unit_test_prestate(test_leaving_early, comm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
