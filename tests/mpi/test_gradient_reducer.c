/* The sum of micro-batches' contributions over threads, ranks and nodes: the same as one exact sum of all;
 * in 64, 32 and 16 bits; plans of micro-batches. */
#include "cnn/gradient_reducer.h"
#include "cnn/micro_batch.h"

#include "cnn/contribution.h"
#include "cnn/gradient_blocks.h"
#include "core/integers.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/timer.h"
#include "parallel/exact_sum.h"
#include "parallel/node_memory.h"

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
    if (network_parse(net, line, (ImageSpec){IMAGE_SIDE, IMAGE_SIDE, CLASSES, 0, false}, &status))
        fail_msg("%s", status.text);
    return net;
}

/* The contribution of a micro-batch of the whole step. */
static void make_contribution(int64_t micro_batch, float *contribution, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        contribution[i] = (float)((micro_batch * 7919 + i * 104729) % 2001 - 1000) * 0x1p-12f;
}

enum { SEED = 5, EPOCH = 2 };

/* Adds this rank's micro-batches with several threads, in the order of events of micro_batch_run. */
static void add_micro_batches(GradientReducer *reducer, const Network *net, const MicroBatchPlan *plan,
                              int64_t all, Range micro_batches) {
    const int64_t count = contribution_floats(net);
    gradient_reducer_begin(
        reducer, &(ReducerStep){range_size(micro_batches), all, micro_batches.begin, EPOCH, (uint64_t)all});
#pragma omp parallel num_threads(3)
    {
        const int thread = omp_get_thread_num();
        float *own = mem_new((size_t)count, sizeof *own);
#pragma omp for schedule(dynamic, 1) nowait
        for (int64_t micro_batch = micro_batches.begin; micro_batch < micro_batches.end; micro_batch++) {
            const int64_t k = micro_batch - micro_batches.begin;
            float *slot = gradient_reducer_slot(reducer, k), *contribution = slot ? slot : own;
            make_contribution(micro_batch, contribution, count);
            gradient_reducer_add(reducer, k, (Range){net->param_floats, count}, contribution, thread);
            for (int s = 0; s < plan->backward_count; s++) {
                gradient_reducer_add(reducer, k, plan->backward[s].params, contribution, thread);
                if (thread == 0) gradient_reducer_poll(reducer);
            }
        }
        while (thread == 0 && !gradient_reducer_poll(reducer))
            sched_yield();
        mem_free(own);
    }
}

enum { DIVISOR = 3, MOST_MICRO_BATCHES = 11, TOO_MANY_FOR_SLOTS = 1 << 20 };

/* How a sum is made; the ranks of a node are some of those that run here. */
typedef struct {
    const Comm *ranks;
    const Comm *node;
    int64_t most_micro_batches;
    int bits;
} Way;

/* Fresh ranges in the memory of the node, as a training's state has them; NULL with 64 bits. */
static int32_t *new_ranges(const Way *way, const Network *net) {
    const int64_t blocks = gradient_blocks_count(net->param_floats);
    if (way->bits == 64) return NULL;
    int32_t *ranges = node_memory_new(way->node, (size_t)blocks, sizeof *ranges);
    for (int64_t b = 0; comm_rank(way->node) == 0 && b < blocks; b++)
        ranges[b] = BLOCK_FLOAT_FIRST_RANGE;
    comm_barrier(way->node);
    return ranges;
}

/* What the sum must be: all contributions on this rank alone, in order. */
typedef struct {
    int64_t count;
    uint64_t *exact; /* [count] */
    int32_t *ranges;
    atomic_uint_fast64_t *clamped;
} Expected;

static Expected expected_new(const Network *net) {
    const int64_t blocks = gradient_blocks_count(net->param_floats);
    const int64_t count = contribution_floats(net);
    Expected expected = {count, mem_new((size_t)count, sizeof(uint64_t)),
                         mem_new((size_t)blocks, sizeof(int32_t)),
                         mem_new((size_t)blocks, sizeof(atomic_uint_fast64_t))};
    for (int64_t b = 0; b < blocks; b++)
        expected.ranges[b] = BLOCK_FLOAT_FIRST_RANGE;
    return expected;
}

static void expected_free(Expected *expected) {
    mem_free(expected->exact);
    mem_free(expected->ranges);
    mem_free(expected->clamped);
}

static void expect_exact(Expected *expected, int64_t micro_batches, float *means) {
    const int64_t count = expected->count;
    for (int64_t k = 0; k < micro_batches; k++) {
        make_contribution(k, means, count);
        exact_sum_convert(means, count, k > 0, expected->exact);
    }
    exact_sum_means(expected->exact, count, DIVISOR, means);
}

/* The gradients, rounded. */
static void expect_blocks(const Expected *expected, const Network *net, int bits, int64_t micro_batches,
                          float *means) {
    const GradientBlocks blocks = {block_float_of(bits, micro_batches), expected->ranges, expected->clamped};
    const int64_t n = net->param_floats, count = contribution_floats(net);
    int32_t *sums = mem_new((size_t)n, sizeof *sums); /* or of 16 bits */
    float *contribution = mem_new((size_t)count, sizeof *contribution);
    for (int64_t k = 0; k < micro_batches; k++) {
        uint32_t key[4];
        rng_u32x4((RngKey){SEED, RNG_ROUNDING}, EPOCH, (uint64_t)micro_batches, (uint32_t)k, key);
        make_contribution(k, contribution, count);
        gradient_blocks_add(&blocks, (Range){0, n}, contribution, key[0], k > 0, sums);
    }
    for (int64_t at = 0; at < n; at += BLOCK_FLOAT_VALUES)
        gradient_blocks_means(&blocks, (Range){at, smaller(at + BLOCK_FLOAT_VALUES, n)},
                              (char *)sums + at * (bits / 8), DIVISOR, means + at);
    mem_free(contribution);
    mem_free(sums);
}

/* Of a step that began at began_s on this rank. The first message of its node may be older. */
static void check_times(const GradientReducer *reducer, bool one_node, double began_s) {
    const ReducerTimes times = gradient_reducer_times(reducer);
    if (one_node) {
        assert_true(times.begin_s == 0 && times.end_s == 0);
    } else {
        assert_true(times.begin_s > 0 && times.begin_s < times.end_s);
        assert_true(times.end_s > began_s && times.end_s <= timer_now_s());
    }
}

/* Several steps with more and fewer micro-batches than ranks. */
static void check_sum(const Way *way, const char *line) {
    Network *net = parse(line);
    const int64_t count = contribution_floats(net);
    const MicroBatchPlan plan = micro_batch_plan_create(net, 8);
    int32_t *ranges = new_ranges(way, net);
    GradientReducer *reducer = gradient_reducer_new(
        &(Reduction){net, &plan, way->most_micro_batches, way->bits, ranges, SEED}, way->ranks, way->node);
    Expected expected = expected_new(net);
    float *right = mem_new((size_t)count, sizeof *right), *means = mem_new((size_t)count, sizeof *means);
    static const int64_t steps[] = {MOST_MICRO_BATCHES, 2, 7, 1};
    for (int s = 0; s < 4; s++) {
        const int rank = comm_rank(way->ranks), ranks = comm_size(way->ranks);
        const double began_s = timer_now_s();
        add_micro_batches(reducer, net, &plan, steps[s], partition_range(steps[s], ranks, rank));
        gradient_reducer_finish(reducer, s == 3 && rank == 0);
        check_times(reducer, comm_size(way->node) == ranks, began_s);
        expect_exact(&expected, steps[s], right);
        if (ranges) expect_blocks(&expected, net, way->bits, steps[s], right);
        if (comm_rank(way->node) == 0) { /* once a node, as it makes the next ranges */
            gradient_reducer_means(reducer, (Range){0, net->param_floats}, DIVISOR, means);
            gradient_reducer_means(reducer, (Range){net->param_floats, count}, DIVISOR,
                                   means + net->param_floats);
            assert_memory_equal(means, right, (size_t)count * sizeof *means);
        }
        comm_barrier(way->node);
        if (ranges)
            assert_memory_equal(ranges, expected.ranges,
                                (size_t)gradient_blocks_count(net->param_floats) * sizeof *ranges);
        assert_true(gradient_reducer_get(reducer, count - 1) == exact_sum_value(expected.exact[count - 1]));
        assert_int_equal(gradient_reducer_signalled(reducer), s == 3);
        assert_false(gradient_reducer_out_of_range(reducer));
        comm_barrier(way->node);
    }
    mem_free(means);
    mem_free(right);
    expected_free(&expected);
    gradient_reducer_free(&reducer);
    node_memory_free(way->node, ranges);
    mem_free(net);
}

/* A bad value in any bucket, of one rank, is known to all. */
static void check_out_of_range(const Way *way, const char *line) {
    Network *net = parse(line);
    const MicroBatchPlan plan = micro_batch_plan_create(net, 8);
    const int64_t count = contribution_floats(net), places[] = {0, net->param_floats - 1, count - 1, -1};
    float *own = mem_new((size_t)count, sizeof *own);
    for (int p = 0; p < 4; p++) {
        const int rank = comm_rank(way->ranks), ranks = comm_size(way->ranks);
        int32_t *ranges = new_ranges(way, net);
        GradientReducer *reducer =
            gradient_reducer_new(&(Reduction){net, &plan, way->most_micro_batches, way->bits, ranges, SEED},
                                 way->ranks, way->node);
        gradient_reducer_begin(reducer, &(ReducerStep){1, ranks, rank, EPOCH, 0});
        float *slot = gradient_reducer_slot(reducer, 0), *contribution = slot ? slot : own;
        memset(contribution, 0, (size_t)count * sizeof *contribution);
        if (places[p] >= 0 && rank == ranks - 1) contribution[places[p]] = NAN;
        gradient_reducer_add(reducer, 0, (Range){net->param_floats, count}, contribution, 0);
        for (int k = 0; k < plan.backward_count; k++)
            gradient_reducer_add(reducer, 0, plan.backward[k].params, contribution, 0);
        gradient_reducer_finish(reducer, false);
        if (comm_rank(way->node) == 0) gradient_reducer_means(reducer, (Range){0, net->param_floats}, 1, own);
        comm_barrier(way->node);
        assert_int_equal(gradient_reducer_out_of_range(reducer), places[p] >= 0);
        comm_barrier(way->node);
        gradient_reducer_free(&reducer);
        node_memory_free(way->node, ranges);
    }
    mem_free(own);
    mem_free(net);
}

/* On one node or several, with slots or without. */
static void check_ways(const Comm *comm, void (*check)(const Way *, const char *), const char *line) {
    for (int ranks_of_node = 1; ranks_of_node <= 4; ranks_of_node++) {
        Comm *node = comm_split(comm, comm_rank(comm) / ranks_of_node);
        for (int bits = 64; bits >= 16; bits /= 2) {
            check(&(Way){comm, node, MOST_MICRO_BATCHES, bits}, line);
            check(&(Way){comm, node, TOO_MANY_FOR_SLOTS, bits}, line);
        }
        comm_destroy(&node);
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

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test_prestate(test_one_message, comm),
        cmocka_unit_test_prestate(test_several_buckets, comm),
        cmocka_unit_test_prestate(test_values_out_of_range, comm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
