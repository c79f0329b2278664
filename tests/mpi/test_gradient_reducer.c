/* The sum of micro-batches' terms over threads, ranks and nodes: the same as one exact sum of all; plans of
 * micro-batches; non-blocking sums. */
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

/* The terms of a micro-batch of the whole step. */
static void make_terms(int64_t micro_batch, float *terms, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        terms[i] = (float)((micro_batch * 7919 + i * 104729) % 2001 - 1000) * 0x1p-12f;
}

/* Adds this rank's micro-batches with several threads, in the order of events of micro_batch_run. */
static void add_micro_batches(GradientReducer *sum, const Network *net, const MicroBatchPlan *plan,
                              int64_t all, Range micro_batches) {
    const int64_t count = contribution_floats(net);
    gradient_reducer_begin(sum, range_size(micro_batches), all);
#pragma omp parallel num_threads(3)
    {
        const int thread = omp_get_thread_num();
        float *own = mem_new((size_t)count, sizeof *own);
#pragma omp for schedule(dynamic, 1) nowait
        for (int64_t micro_batch = micro_batches.begin; micro_batch < micro_batches.end; micro_batch++) {
            float *slot = gradient_reducer_slot(sum), *terms = slot ? slot : own;
            make_terms(micro_batch, terms, count);
            gradient_reducer_add(sum, (Range){net->param_floats, count}, terms, thread);
            for (int k = 0; k < plan->backward_count; k++) {
                gradient_reducer_add(sum, plan->backward[k].params, terms, thread);
                if (thread == 0) gradient_reducer_poll(sum);
            }
        }
        while (thread == 0 && !gradient_reducer_poll(sum))
            sched_yield();
        mem_free(own);
    }
}

enum { MOST_LEAVES = 11, TOO_MANY_FOR_SLOTS = 1 << 20 };

/* How a sum is made; the ranks of a node are some of those that run here. */
typedef struct {
    const Comm *ranks;
    Comm *node;
    int64_t most_micro_batches;
} Way;

/* Several steps with more and fewer micro-batches than ranks. */
static void check_sum(const Way *preprocess, const char *line) {
    Network *net = parse(line);
    const int64_t count = contribution_floats(net);
    const MicroBatchPlan plan = micro_batch_plan_create(net, 8);
    GradientReducer *sum =
        gradient_reducer_new(net, &plan, preprocess->most_micro_batches, preprocess->ranks, preprocess->node);
    ExactSum expected = exact_sum_new(count);
    float *terms = mem_new((size_t)count, sizeof *terms), *means = mem_new((size_t)count, sizeof *means);
    static const int64_t steps[] = {MOST_LEAVES, 2, 7, 1};
    for (int s = 0; s < 4; s++) {
        const int rank = comm_rank(preprocess->ranks);
        add_micro_batches(sum, net, &plan, steps[s],
                          partition_range(steps[s], comm_size(preprocess->ranks), rank));
        gradient_reducer_finish(sum, s == 3 && rank == 0);
        exact_sum_clear(&expected);
        for (int64_t micro_batch = 0; micro_batch < steps[s]; micro_batch++) {
            make_terms(micro_batch, terms, count);
            exact_sum_add(&expected, 0, terms, count);
        }
        exact_sum_means(&expected, 0, count, 3, terms);
        gradient_reducer_means(sum, (Range){0, net->param_floats}, 3, means);
        gradient_reducer_means(sum, (Range){net->param_floats, count}, 3, means + net->param_floats);
        assert_memory_equal(means, terms, (size_t)count * sizeof *means);
        assert_true(gradient_reducer_get(sum, count - 1) == exact_sum_get(&expected, count - 1));
        assert_int_equal(gradient_reducer_signalled(sum), s == 3);
        assert_false(gradient_reducer_out_of_range(sum));
        comm_barrier(preprocess->node);
    }
    mem_free(means);
    mem_free(terms);
    exact_sum_free(&expected);
    gradient_reducer_free(&sum);
    mem_free(net);
}

/* A bad term in any bucket, of one rank, is known to all. */
static void check_refused(const Way *preprocess, const char *line) {
    Network *net = parse(line);
    const MicroBatchPlan plan = micro_batch_plan_create(net, 8);
    const int64_t count = contribution_floats(net), places[] = {0, net->param_floats - 1, count - 1, -1};
    float *own = mem_new((size_t)count, sizeof *own);
    for (int p = 0; p < 4; p++) {
        GradientReducer *sum = gradient_reducer_new(net, &plan, preprocess->most_micro_batches,
                                                    preprocess->ranks, preprocess->node);
        gradient_reducer_begin(sum, 1, comm_size(preprocess->ranks));
        float *slot = gradient_reducer_slot(sum), *terms = slot ? slot : own;
        memset(terms, 0, (size_t)count * sizeof *terms);
        if (places[p] >= 0 && comm_rank(preprocess->ranks) == comm_size(preprocess->ranks) - 1)
            terms[places[p]] = NAN;
        gradient_reducer_add(sum, (Range){net->param_floats, count}, terms, 0);
        for (int k = 0; k < plan.backward_count; k++)
            gradient_reducer_add(sum, plan.backward[k].params, terms, 0);
        gradient_reducer_finish(sum, false);
        gradient_reducer_means(sum, (Range){0, net->param_floats}, 1, own);
        assert_int_equal(gradient_reducer_out_of_range(sum), places[p] >= 0);
        comm_barrier(preprocess->node);
        gradient_reducer_free(&sum);
    }
    mem_free(own);
    mem_free(net);
}

/* On one node or several, with slots or without. */
static void check_ways(const Comm *comm, void (*check)(const Way *, const char *), const char *line) {
    for (int ranks_of_node = 1; ranks_of_node <= 4; ranks_of_node++) {
        Way preprocess = {comm, comm_split(comm, comm_rank(comm) / ranks_of_node), MOST_LEAVES};
        check(&preprocess, line);
        preprocess.most_micro_batches = TOO_MANY_FOR_SLOTS;
        check(&preprocess, line);
        comm_destroy(&preprocess.node);
    }
}

static void test_one_message(void **state) {
    check_ways(*state, check_sum, "conv:4:3 bn relu pool:2 dense:10");
    check_ways(*state, check_refused, "conv:4:3 bn relu pool:2 dense:10");
}

static void test_several_buckets(void **state) {
    check_ways(*state, check_sum, "conv:8:3 bn relu pool:2 dense:128 relu dense:600 bn relu dense:10");
}

static void test_refused_terms(void **state) {
    check_ways(*state, check_refused, "conv:8:3 relu pool:2 dense:128 relu dense:600 relu dense:10");
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
        cmocka_unit_test_prestate(test_refused_terms, comm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
