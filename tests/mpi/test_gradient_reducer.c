/* The sum of micro-batches' contributions over threads, ranks and nodes: the same as one exact sum of all;
 * plans of micro-batches; non-blocking sums. */
#include "cnn/gradient_reducer.h"
#include "cnn/micro_batch.h"

#include "core/mem.h"
#include "core/rng.h"
#include "parallel/exact_sum.h"

#include <math.h>
#include <omp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static Network *parse(const char *line) {
    Network *net = mem_new(1, sizeof *net);
    Status status = {0};
    if (network_parse(net, line, (ImageSpec){IMAGE_SIDE, IMAGE_SIDE, CLASSES}, &status))
        fail_msg("%s", status.text);
    return net;
}

/* The contribution of a micro-batch of the whole step. */
static void make_contribution(int64_t micro_batch, float *contribution, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        contribution[i] = (float)((micro_batch * 7919 + i * 104729) % 2001 - 1000) * 0x1p-12f;
}

/* Adds this rank's micro-batches with several threads, in the order of events of micro_batch_run. */
static void add_micro_batches(GradientReducer *reducer, const Network *net, const MicroBatchPlan *plan,
                              int64_t all, Range micro_batches) {
    const int64_t count = contribution_floats(net);
    gradient_reducer_begin(reducer, range_size(micro_batches), all);
#pragma omp parallel num_threads(3)
    {
        const int thread = omp_get_thread_num();
        float *own = mem_new((size_t)count, sizeof *own);
#pragma omp for schedule(dynamic, 1) nowait
        for (int64_t micro_batch = micro_batches.begin; micro_batch < micro_batches.end; micro_batch++) {
            float *slot = gradient_reducer_slot(reducer), *contribution = slot ? slot : own;
            make_contribution(micro_batch, contribution, count);
            gradient_reducer_add(reducer, (Range){net->param_floats, count}, contribution, thread);
            for (int k = 0; k < plan->backward_count; k++) {
                gradient_reducer_add(reducer, plan->backward[k].params, contribution, thread);
                if (thread == 0) gradient_reducer_poll(reducer);
            }
        }
        while (thread == 0 && !gradient_reducer_poll(reducer))
            sched_yield();
        mem_free(own);
    }
}

enum { MOST_MICRO_BATCHES = 11, TOO_MANY_FOR_SLOTS = 1 << 20 };

/* How a sum is made; the ranks of a node are some of those that run here. */
typedef struct {
    const Comm *ranks;
    Comm *node;
    int64_t most_micro_batches;
} Way;

/* Several steps with more and fewer micro-batches than ranks. */
static void check_sum(const Way *way, const char *line) {
    Network *net = parse(line);
    const int64_t count = contribution_floats(net);
    const MicroBatchPlan plan = micro_batch_plan_create(net, 8);
    GradientReducer *reducer =
        gradient_reducer_new(net, &plan, way->most_micro_batches, way->ranks, way->node);
    ExactSum expected = exact_sum_new(count);
    float *contribution = mem_new((size_t)count, sizeof *contribution),
          *means = mem_new((size_t)count, sizeof *means);
    static const int64_t steps[] = {MOST_MICRO_BATCHES, 2, 7, 1};
    for (int s = 0; s < 4; s++) {
        const int rank = comm_rank(way->ranks);
        add_micro_batches(reducer, net, &plan, steps[s],
                          partition_range(steps[s], comm_size(way->ranks), rank));
        gradient_reducer_finish(reducer, s == 3 && rank == 0);
        exact_sum_clear(&expected);
        for (int64_t micro_batch = 0; micro_batch < steps[s]; micro_batch++) {
            make_contribution(micro_batch, contribution, count);
            exact_sum_add(&expected, 0, contribution, count);
        }
        exact_sum_means(&expected, 0, count, 3, contribution);
        gradient_reducer_means(reducer, (Range){0, net->param_floats}, 3, means);
        gradient_reducer_means(reducer, (Range){net->param_floats, count}, 3, means + net->param_floats);
        assert_memory_equal(means, contribution, (size_t)count * sizeof *means);
        assert_true(gradient_reducer_get(reducer, count - 1) == exact_sum_get(&expected, count - 1));
        assert_int_equal(gradient_reducer_signalled(reducer), s == 3);
        assert_false(gradient_reducer_out_of_range(reducer));
        comm_barrier(way->node);
    }
    mem_free(means);
    mem_free(contribution);
    exact_sum_free(&expected);
    gradient_reducer_free(&reducer);
    mem_free(net);
}

/* A bad value in any bucket, of one rank, is known to all. */
static void check_out_of_range(const Way *way, const char *line) {
    Network *net = parse(line);
    const MicroBatchPlan plan = micro_batch_plan_create(net, 8);
    const int64_t count = contribution_floats(net), places[] = {0, net->param_floats - 1, count - 1, -1};
    float *own = mem_new((size_t)count, sizeof *own);
    for (int p = 0; p < 4; p++) {
        GradientReducer *reducer =
            gradient_reducer_new(net, &plan, way->most_micro_batches, way->ranks, way->node);
        gradient_reducer_begin(reducer, 1, comm_size(way->ranks));
        float *slot = gradient_reducer_slot(reducer), *contribution = slot ? slot : own;
        memset(contribution, 0, (size_t)count * sizeof *contribution);
        if (places[p] >= 0 && comm_rank(way->ranks) == comm_size(way->ranks) - 1)
            contribution[places[p]] = NAN;
        gradient_reducer_add(reducer, (Range){net->param_floats, count}, contribution, 0);
        for (int k = 0; k < plan.backward_count; k++)
            gradient_reducer_add(reducer, plan.backward[k].params, contribution, 0);
        gradient_reducer_finish(reducer, false);
        gradient_reducer_means(reducer, (Range){0, net->param_floats}, 1, own);
        assert_int_equal(gradient_reducer_out_of_range(reducer), places[p] >= 0);
        comm_barrier(way->node);
        gradient_reducer_free(&reducer);
    }
    mem_free(own);
    mem_free(net);
}

/* On one node or several, with slots or without. */
static void check_ways(const Comm *comm, void (*check)(const Way *, const char *), const char *line) {
    for (int ranks_of_node = 1; ranks_of_node <= 4; ranks_of_node++) {
        Way way = {comm, comm_split(comm, comm_rank(comm) / ranks_of_node), MOST_MICRO_BATCHES};
        check(&way, line);
        way.most_micro_batches = TOO_MANY_FOR_SLOTS;
        check(&way, line);
        comm_destroy(&way.node);
    }
}

static void test_one_message(void **state) {
    check_ways(*state, check_sum, "conv:4:3 bn relu pool:2 dense:10");
    check_ways(*state, check_out_of_range, "conv:4:3 bn relu pool:2 dense:10");
}

static void test_several_buckets(void **state) {
    check_ways(*state, check_sum, "conv:8:3 bn relu pool:2 dense:128 relu dense:600 bn relu dense:10");
}

static void test_values_out_of_range(void **state) {
    check_ways(*state, check_out_of_range, "conv:8:3 relu pool:2 dense:128 relu dense:600 relu dense:10");
}

/* Every layer is passed once in each direction, and the gradients are complete at the end. */
static void check_plan(const char *line, int micro_batch) {
    Network *net = parse(line);
    const MicroBatchPlan plan = micro_batch_plan_create(net, micro_batch);
    int layer = 0;
    for (int k = 0; k < plan.forward_count; k++) {
        assert_int_equal(plan.forward[k].first, layer);
        assert_in_range(plan.forward[k].group, 1, micro_batch);
        layer = plan.forward[k].end;
        if (layer < net->layer_count && net->layers[layer].type->gather) continue;
        assert_true(layer == net->layer_count || net->layers[layer].type->whole_micro_batch ||
                    net->layers[layer - 1].type->whole_micro_batch || net->layers[layer].in.height == 1);
    }
    assert_int_equal(layer, net->layer_count);
    int64_t params = net->param_floats;
    for (int k = 0; k < plan.backward_count; k++) {
        const Stage *stage = &plan.backward[k];
        assert_int_equal(stage->end, layer);
        layer = stage->first;
        assert_int_equal(stage->params.end, params);
        assert_true(stage->params.begin < params);
        params = stage->params.begin;
    }
    assert_int_equal(params, 0);
    assert_in_range(layer, net->first_trained, net->first_trained + 1);
    mem_free(net);
}

static void test_plans(void **state) {
    (void)state;
    check_plan("dense:10", 1);
    check_plan("bn bn dense:10", 4);
    check_plan("pool:2 bn conv:200:3 relu conv:8:12 relu dropout:0.5 dense:10", 32);
    check_plan("conv:64:5 bn relu conv:64:5 dropout:0.1 bn pool:2 relu dense:20 bn relu dense:10", 32);
}

/* Two sums under way at once. */
static void test_sums_under_way(void **state) {
    enum { N = 100000 };
    const Comm *comm = *state;
    const uint64_t rank = (uint64_t)comm_rank(comm), size = (uint64_t)comm_size(comm);
    uint64_t *values[2] = {mem_new(N, sizeof(uint64_t)), mem_new(N, sizeof(uint64_t))};
    CommSum *sums[2];
    for (uint64_t s = 0; s < 2; s++) {
        for (uint64_t i = 0; i < N; i++)
            values[s][i] = (rank + 1) * (i + s) + (UINT64_MAX << 8); /* sums wrap around */
        sums[s] = comm_sum_start(comm, values[s], s ? N : 7);
    }
    while (!comm_sum_test(sums[1]))
        sched_yield();
    comm_sum_wait(&sums[1]);
    comm_sum_wait(&sums[0]);
    assert_null(sums[0]);
    for (uint64_t s = 0; s < 2; s++)
        for (uint64_t i = 0; i < (s ? N : 7); i++)
            assert_true(values[s][i] == size * (size + 1) / 2 * (i + s) + size * (UINT64_MAX << 8));
    mem_free(values[0]);
    mem_free(values[1]);
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test_prestate(test_sums_under_way, comm),
        cmocka_unit_test_prestate(test_one_message, comm),
        cmocka_unit_test_prestate(test_several_buckets, comm),
        cmocka_unit_test_prestate(test_values_out_of_range, comm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
