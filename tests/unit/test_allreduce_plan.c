/* The steps of the allreduce algorithms, run for all ranks in one process. */
#include "parallel/allreduce_plan.h"

#include "core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MOST_STEPS = 256 };

/* A rank's steps and where it is in them. */
typedef struct {
    AllreduceStep steps[MOST_STEPS];
    int count, at;
    bool sent;
    int64_t *values, *message; /* [n]; what its step sends */
} Rank;

static int64_t share_of(int rank, int64_t i) {
    return (rank + 1) * (i + 3);
}

/* A step is done when the partner that it receives from has sent: both are then in steps that name each
 * other. */
static bool can_receive(const Rank *ranks, int me) {
    const AllreduceStep *step = &ranks[me].steps[ranks[me].at];
    if (step->from < 0) return true;
    const Rank *other = &ranks[step->from];
    if (other->at >= other->count) return false;
    const AllreduceStep *theirs = &other->steps[other->at];
    return theirs->to == me && other->sent && range_size(theirs->send) == range_size(step->receive) &&
           theirs->send.begin == step->receive.begin;
}

static void send_all(Rank *ranks, int count, int64_t n) {
    for (int r = 0; r < count; r++) {
        if (ranks[r].at == ranks[r].count || ranks[r].sent) continue;
        for (int64_t i = 0; i < n; i++)
            ranks[r].message[i] = ranks[r].values[i];
        ranks[r].sent = true;
    }
}

/* All steps of a round: those whose partners stand ready in the same round. Returns whether any rank went on.
 */
static bool run_round(Rank *ranks, int count, int64_t n) {
    bool ready[MOST_STEPS], any = false;
    send_all(ranks, count, n);
    for (int r = 0; r < count; r++)
        ready[r] = ranks[r].at < ranks[r].count && can_receive(ranks, r);
    for (int r = 0; r < count; r++) {
        if (!ready[r]) continue;
        const AllreduceStep *step = &ranks[r].steps[ranks[r].at];
        /* who receives from this rank must take part in the same round */
        if (step->to >= 0 && !ready[step->to]) continue;
        for (int64_t i = step->receive.begin; i < step->receive.end && step->from >= 0; i++)
            ranks[r].values[i] = ranks[step->from].message[i] + (step->add ? ranks[r].values[i] : 0);
        any = true;
        ranks[r].sent = false;
    }
    for (int r = 0; r < count; r++)
        ranks[r].at += ready[r] && !ranks[r].sent;
    return any;
}

static void check_plan(const AllreducePlan *plan, int count, int64_t n) {
    Rank *ranks = mem_new((size_t)count, sizeof *ranks);
    for (int r = 0; r < count; r++) {
        ranks[r].count = plan->plan(r, count, n, ranks[r].steps);
        assert_true(ranks[r].count <= plan->count(count));
        ranks[r].values = mem_new((size_t)n, sizeof(int64_t));
        ranks[r].message = mem_new((size_t)n, sizeof(int64_t));
        for (int64_t i = 0; i < n; i++)
            ranks[r].values[i] = share_of(r, i);
    }
    while (run_round(ranks, count, n))
        continue;
    for (int r = 0; r < count; r++) {
        assert_int_equal(ranks[r].at, ranks[r].count);
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(ranks[r].values[i], (int64_t)count * (count + 1) / 2 * (i + 3));
        mem_free(ranks[r].values);
        mem_free(ranks[r].message);
    }
    mem_free(ranks);
}

static void test_plans_sum(void **state) {
    static const int counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 23, 33, 64, 96};
    (void)state;
    for (const AllreducePlan *plan = allreduce_plans; plan->name; plan++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            check_plan(plan, counts[c], 1);
            check_plan(plan, counts[c], 100);
        }
}

/* Whatever their number: a ring of 1,000 ranks would take 1,998 messages. */
static void test_many_ranks_take_few_messages(void **state) {
    (void)state;
    for (int ranks = 64; ranks <= 1024; ranks++)
        assert_true(allreduce_choose(1 << 20, ranks)->count(ranks) <= 22);
}

static void test_large_sums_send_little(void **state) {
    (void)state;
    assert_string_equal(allreduce_choose(1 << 20, 3)->name, "ring");
    assert_string_equal(allreduce_choose(1 << 20, 12)->name, "ring");
    assert_string_equal(allreduce_choose(1 << 20, 16)->name, "halving");
    assert_string_equal(allreduce_choose(1 << 10, 16)->name, "doubling");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans_sum),
        cmocka_unit_test(test_many_ranks_take_few_messages),
        cmocka_unit_test(test_large_sums_send_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
