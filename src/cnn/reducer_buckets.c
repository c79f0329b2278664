/* Buckets: the threads of all ranks of a node add to one sum in shared memory. Between nodes, their first
 * ranks send buckets over MPI: the gradients of a few stages of the backward pass, last layers first. A
 * bucket to which all micro-batches of this node have been added is sent at once, while the threads still
 * compute the layers below (Li et al., "PyTorch Distributed", VLDB 2020). The main thread alone sends and
 * must poll often, because MPI makes no progress by itself. */
#include "cnn/piece_sums.h"
#include "cnn/reducer.h"

#include "core/mem.h"
#include "parallel/node_memory.h"

enum {
    BUCKET_VALUES = 1 << 16, /* that are worth a message of their own */
    POLL_TESTS = 16,
};

typedef struct {
    Range values, pieces;
    atomic_int_fast64_t micro_batches; /* of this rank, added so far */
    CommSum *sending;                  /* under way over MPI */
} Bucket;

typedef struct {
    GradientReducer base;
    int64_t micro_batches; /* of this rank in this step */
    int bucket_count, sent;
    Bucket *buckets; /* in the order in which they become complete; but the first: what isn't gradients, and
                        is sent last */
    atomic_int_fast64_t *done; /* [buckets] ranks of the node whose micro-batches have all been added */
    PieceSums sums; /* behind the values: how many ranks were signalled; then, as in any exact sum, how many
                       values were out of range */
} BucketsReducer;

static void add_bucket(BucketsReducer *buckets, Range values) {
    Bucket *bucket = &buckets->buckets[buckets->bucket_count++];
    bucket->values = values;
    bucket->pieces = piece_sums_cut(&buckets->sums, values);
}

static void plan_buckets(BucketsReducer *buckets, const ReducerPlan *plan) {
    const MicroBatchPlan *stages = plan->micro_batch;
    const int64_t all = contribution_floats(plan->net);
    int64_t end = plan->net->param_floats;
    Range parts[NETWORK_MAX_LAYERS + 2] = {{end, all}};
    int count = 1;
    for (int k = 0; k < stages->backward_count; k++) {
        int64_t begin = stages->backward[k].params.begin;
        if (end - begin < BUCKET_VALUES && k + 1 < stages->backward_count) continue;
        parts[count++] = (Range){begin, end};
        end = begin;
    }
    if (plan->nodes > 1 && count <= 2) { /* everything goes as one message */
        parts[0] = (Range){0, all};
        count = 1;
    }
    for (int b = 0; b < count; b++)
        add_bucket(buckets, parts[b]);
}

static GradientReducer *create(const ReducerPlan *plan) {
    BucketsReducer *buckets = mem_new(1, sizeof *buckets);
    const size_t most = (size_t)plan->micro_batch->backward_count + 1;
    buckets->buckets = mem_new(most, sizeof *buckets->buckets);
    buckets->done = node_memory_new(plan->node, most, sizeof *buckets->done);
    buckets->sums = piece_sums_new(plan->node, (Range){0, contribution_floats(plan->net)}, 1, (int64_t)most);
    plan_buckets(buckets, plan);
    return &buckets->base;
}

static void destroy(GradientReducer *reducer) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    node_memory_free(reducer->plan.node, buckets->done);
    piece_sums_free(&buckets->sums);
    mem_free(buckets->buckets);
}

/* This rank has added all its micro-batches to bucket b. */
static void count_rank(BucketsReducer *buckets, int b) {
    if (buckets->base.plan.nodes > 1) atomic_fetch_add(&buckets->done[b], 1);
}

static void begin(GradientReducer *reducer, int64_t micro_batches, int64_t all) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    (void)all;
    buckets->micro_batches = micro_batches;
    buckets->sent = 1;
    for (int b = 0; b < buckets->bucket_count; b++) {
        atomic_store(&buckets->buckets[b].micro_batches, 0);
        if (micro_batches == 0) count_rank(buckets, b);
    }
}

/* The bucket that these values complete; -1: none. */
static int completed_bucket(const BucketsReducer *buckets, Range values) {
    for (int b = 0; b < buckets->bucket_count; b++)
        if (buckets->buckets[b].values.begin == values.begin) return b;
    return -1;
}

static void add(GradientReducer *reducer, Range values, const float *contribution, int turn) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    const int b = completed_bucket(buckets, values);
    if (b < 0) return;
    Bucket *bucket = &buckets->buckets[b];
    reducer_count_out_of_range(reducer, piece_sums_add(&buckets->sums, bucket->pieces, contribution, turn));
    if (atomic_fetch_add(&bucket->micro_batches, 1) + 1 == buckets->micro_batches) count_rank(buckets, b);
}

/* Sums from the bucket's first value to `end`. Of a node without micro-batches there is nothing in it yet. */
static void send_bucket(BucketsReducer *buckets, Bucket *bucket, int64_t end) {
    piece_sums_fill(&buckets->sums, bucket->pieces);
    bucket->sending =
        comm_sum_start(buckets->base.plan.leaders, piece_sums_at(&buckets->sums, bucket->values.begin),
                       end - bucket->values.begin);
}

static bool poll(GradientReducer *reducer) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    if (reducer->plan.nodes == 1 || !reducer->plan.is_leader) return true;
    for (; buckets->sent < buckets->bucket_count; buckets->sent++) {
        Bucket *bucket = &buckets->buckets[buckets->sent];
        if (atomic_load(&buckets->done[buckets->sent]) < comm_size(reducer->plan.node)) break;
        send_bucket(buckets, bucket, bucket->values.end);
    }
    /* a test moves only a few of the fragments that a large message is cut into */
    for (int b = 1, tests = 0; b < buckets->sent && tests < POLL_TESTS; tests++)
        b += comm_sum_test(buckets->buckets[b].sending);
    return buckets->sent == buckets->bucket_count;
}

/* By the leader, when all ranks of the node have added their micro-batches. */
static void finish_messages(BucketsReducer *buckets) {
    const ExactSum *sum = &buckets->sums.sum;
    ReducerCounts *counts = buckets->base.counts;
    sum->sums[sum->n - 1] = atomic_load(&counts->signalled);
    sum->sums[sum->n] = atomic_load(&counts->out_of_range);
    poll(&buckets->base);
    send_bucket(buckets, &buckets->buckets[0], sum->n + 1);
    for (int b = buckets->bucket_count - 1; b >= 0; b--)
        comm_sum_wait(&buckets->buckets[b].sending);
    atomic_store(&counts->signalled, sum->sums[sum->n - 1] > 0);
    atomic_store(&counts->out_of_range, sum->sums[sum->n] > 0);
}

/* The ranks of the node look at none of what the leader resets before the next step. */
static void finish(GradientReducer *reducer) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    if (reducer->plan.is_leader) {
        if (reducer->plan.nodes > 1) finish_messages(buckets);
        for (int b = 0; b < buckets->bucket_count; b++)
            atomic_store(&buckets->done[b], 0);
        piece_sums_reset(&buckets->sums);
    }
    if (reducer->plan.nodes > 1) comm_barrier(reducer->plan.node);
}

static double get(const GradientReducer *reducer, int64_t value) {
    return exact_sum_get(&((const BucketsReducer *)reducer)->sums.sum, value);
}

static void means(GradientReducer *reducer, Range values, double divisor, float *out) {
    const BucketsReducer *buckets = (const BucketsReducer *)reducer;
    exact_sum_means(&buckets->sums.sum, values.begin, range_size(values), divisor, out);
}

const ReducerWay reducer_buckets = {
    .name = "buckets",
    .create = create,
    .destroy = destroy,
    .begin = begin,
    .add = add,
    .poll = poll,
    .finish = finish,
    .get = get,
    .means = means,
};
