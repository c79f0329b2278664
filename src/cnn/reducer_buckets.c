/* Buckets: the threads of all ranks of a node add to one sum in shared memory. Between nodes, their first
 * ranks send buckets over MPI: the gradients of a few stages of the backward pass, last layers first. A
 * bucket to which all micro-batches of this node have been added is sent at once, while the threads still
 * compute the layers below (Li et al., "PyTorch Distributed", VLDB 2020). What isn't gradients, and the
 * counts, are sent last, as exact sums of 64 bits. The main thread alone sends and must poll often, because
 * MPI makes no progress by itself. */
#include "cnn/reducer.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/timer.h"
#include "core/waiting.h"
#include "parallel/node_memory.h"

enum { BUCKET_VALUES = 1 << 16 }; /* that are worth a message of their own */

typedef struct {
    PieceSums *sums; /* that it is a part of */
    Range values, pieces;
    atomic_int_fast64_t micro_batches; /* of this rank, added so far */
    Allreduce *message;                /* of the leader, where there are several nodes */
    bool is_whole;                     /* it was seen to be done, in this step */
    double sent_s;                     /* for the trace */
} Bucket;

typedef struct {
    GradientReducer base;
    int bucket_count, sent;
    Bucket *buckets; /* [bucket_count + 1] of gradients, in the order in which they become complete; behind
                        them the rest */
    Bucket *rest;    /* of what isn't gradients */
    atomic_int_fast64_t *done; /* [buckets] ranks of the node whose micro-batches have all been added */
    PieceSums gradients;
    PieceSums others; /* behind the values the counts: signalled, out of range, and terms clamped by block */
} BucketsReducer;

static int64_t block_count(const GradientReducer *reducer) {
    return reducer_blocks(reducer) ? gradient_blocks_count(reducer->plan.what.net->param_floats) : 0;
}

/* Without the counts behind them. */
static int64_t bucket_bytes(const Bucket *bucket) {
    return range_size(bucket->values) * sum_type_bytes(bucket->sums->type);
}

static void add_bucket(Bucket *bucket, PieceSums *sums, Range values) {
    bucket->sums = sums;
    bucket->values = values;
    bucket->pieces = piece_sums_cut(sums, values);
}

int gradient_reducer_buckets(const MicroBatchPlan *plan, Range *buckets) {
    int count = 0;
    int64_t end = plan->backward[0].params.end;
    for (int k = 0; k < plan->backward_count; k++) {
        const int64_t begin = plan->backward[k].params.begin;
        if (end - begin < BUCKET_VALUES && k + 1 < plan->backward_count) continue;
        buckets[count++] = (Range){begin, end};
        end = begin;
    }
    return count;
}

static void plan_buckets(BucketsReducer *buckets) {
    Range values[NETWORK_MAX_LAYERS + 1] = {{0, 0}};
    buckets->bucket_count = gradient_reducer_buckets(buckets->base.plan.what.plan, values);
    for (int b = 0; b < buckets->bucket_count; b++)
        add_bucket(&buckets->buckets[b], &buckets->gradients, values[b]);
    buckets->rest = &buckets->buckets[buckets->bucket_count];
    add_bucket(buckets->rest, &buckets->others, buckets->others.values);
}

static void plan_messages(BucketsReducer *buckets) {
    const ReducerPlan *plan = &buckets->base.plan;
    if (plan->nodes == 1 || !plan->is_leader) return;
    for (int b = 0; b < buckets->bucket_count; b++) {
        Bucket *bucket = &buckets->buckets[b];
        bucket->message = allreduce_create(plan->leaders, bucket->sums->type,
                                           piece_sums_at(bucket->sums, bucket->values.begin),
                                           range_size(bucket->values), NULL, b);
    }
    buckets->rest->message = allreduce_create(
        plan->leaders, SUM_I64, buckets->others.sums,
        range_size(buckets->others.values) + 2 + block_count(&buckets->base), NULL, buckets->bucket_count);
}

static void init(GradientReducer *reducer) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    const ReducerPlan *plan = &reducer->plan;
    const Range gradients = {0, plan->what.net->param_floats};
    const Range others = {gradients.end, contribution_floats(plan->what.net)};
    const size_t most = (size_t)plan->what.plan->backward_count + 1;
    buckets->buckets = mem_new(most, sizeof *buckets->buckets);
    buckets->done = node_memory_new(plan->node, most, sizeof *buckets->done);
    buckets->gradients = piece_sums_new(plan->node, reducer_blocks(reducer), gradients, 0, (int64_t)most);
    buckets->others = piece_sums_new(plan->node, NULL, others, 2 + block_count(reducer), 1);
    plan_buckets(buckets);
    plan_messages(buckets);
}

static void clear(GradientReducer *reducer) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    for (int b = 0; b <= buckets->bucket_count; b++)
        allreduce_destroy(&buckets->buckets[b].message);
    node_memory_free(reducer->plan.node, buckets->done);
    piece_sums_free(&buckets->gradients);
    piece_sums_free(&buckets->others);
    mem_free(buckets->buckets);
}

/* This rank has added all its micro-batches to the bucket. */
static void count_rank(BucketsReducer *buckets, const Bucket *bucket) {
    if (buckets->base.plan.nodes > 1) atomic_fetch_add(&buckets->done[bucket - buckets->buckets], 1);
}

static void begin(GradientReducer *reducer) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    buckets->sent = 0;
    for (int b = 0; b <= buckets->bucket_count; b++) {
        atomic_store(&buckets->buckets[b].micro_batches, 0);
        if (reducer->step.micro_batches == 0) count_rank(buckets, &buckets->buckets[b]);
    }
}

/* The bucket that these values complete; NULL: none. */
static Bucket *completed_bucket(const BucketsReducer *buckets, Range values) {
    for (int b = 0; b <= buckets->bucket_count; b++)
        if (buckets->buckets[b].values.begin == values.begin) return &buckets->buckets[b];
    return NULL;
}

static void add(GradientReducer *reducer, Range values, const Contribution *contribution) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    Bucket *bucket = completed_bucket(buckets, values);
    if (!bucket) return;
    reducer_note_out_of_range(reducer, piece_sums_add(bucket->sums, bucket->pieces, contribution),
                              bucket->values, contribution->values);
    if (atomic_fetch_add(&bucket->micro_batches, 1) + 1 == reducer->step.micro_batches)
        count_rank(buckets, bucket);
}

/* Of a node without micro-batches there is nothing in it yet. */
static void send_bucket(const BucketsReducer *buckets, Bucket *bucket) {
    piece_sums_fill(bucket->sums, bucket->pieces);
    bucket->is_whole = false;
    bucket->sent_s = trace_begin(buckets->base.trace);
    allreduce_start(bucket->message);
}

/* Lets the messages of the first buckets pass; true when all of them are whole. */
static bool test_messages(BucketsReducer *buckets, int count) {
    bool whole = true;
    for (int b = 0; b < count; b++) {
        Bucket *bucket = &buckets->buckets[b];
        if (bucket->is_whole) continue;
        bucket->is_whole = allreduce_test(bucket->message);
        whole = whole && bucket->is_whole;
        if (bucket->is_whole)
            trace_end_beside(buckets->base.trace, TRACE_REDUCE, bucket->sent_s, b, bucket_bytes(bucket));
    }
    return whole;
}

static bool poll(GradientReducer *reducer) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    if (reducer->plan.nodes == 1 || !reducer->plan.is_leader) return true;
    for (; buckets->sent < buckets->bucket_count; buckets->sent++) {
        if (atomic_load(&buckets->done[buckets->sent]) < comm_size(reducer->plan.node)) break;
        if (buckets->sent == 0) reducer->counts->times.begin_s = timer_now_s();
        send_bucket(buckets, &buckets->buckets[buckets->sent]);
    }
    test_messages(buckets, buckets->sent);
    return buckets->sent == buckets->bucket_count;
}

/* The counts behind the other sums: of this node before they are sent, of all nodes afterwards. */
static void move_counts(BucketsReducer *buckets, bool into_message) {
    GradientReducer *reducer = &buckets->base;
    atomic_uint_fast64_t *const counts[] = {&reducer->counts->signalled, &reducer->counts->out_of_range};
    uint64_t *sums = piece_sums_at(&buckets->others, buckets->others.values.end);
    const int64_t blocks = block_count(reducer);
    for (int64_t i = 0; i < 2 + blocks; i++) {
        atomic_uint_fast64_t *count = i < 2 ? counts[i] : &reducer->blocks.clamped[i - 2];
        if (into_message)
            sums[i] = atomic_load(count);
        else
            atomic_store(count, sums[i]);
    }
}

/* By the leader, when all ranks of the node have added their micro-batches. */
static void finish_messages(BucketsReducer *buckets) {
    poll(&buckets->base);
    move_counts(buckets, true);
    send_bucket(buckets, buckets->rest);
    const Waiting waiting = waiting_begin();
    progress_wait_begin(comm_progress(buckets->base.plan.node));
    while (!test_messages(buckets, buckets->bucket_count + 1))
        waiting_pause(&waiting);
    progress_wait_end(comm_progress(buckets->base.plan.node));
    buckets->base.counts->times.end_s = timer_now_s();
    move_counts(buckets, false);
}

/* The ranks of the node look at none of what the leader resets before the next step. */
static void finish(GradientReducer *reducer) {
    BucketsReducer *buckets = (BucketsReducer *)reducer;
    if (reducer->plan.is_leader) {
        if (reducer->plan.nodes > 1) finish_messages(buckets);
        for (int b = 0; b <= buckets->bucket_count; b++)
            atomic_store(&buckets->done[b], 0);
        piece_sums_reset(&buckets->gradients);
        piece_sums_reset(&buckets->others);
    }
    if (reducer->plan.nodes > 1) comm_barrier(reducer->plan.node);
}

static double get(const GradientReducer *reducer, int64_t value) {
    return piece_sums_get(&((const BucketsReducer *)reducer)->others, value);
}

static void means(GradientReducer *reducer, Range values, double divisor, float *out) {
    const BucketsReducer *buckets = (const BucketsReducer *)reducer;
    const bool gradients = values.begin < buckets->gradients.values.end;
    const PieceSums *sums = gradients ? &buckets->gradients : &buckets->others;
    const int64_t most = sums->blocks ? BLOCK_FLOAT_VALUES : range_size(values);
    for (Range part = {values.begin, values.begin}; part.begin < values.end; part.begin = part.end) {
        part.end = smaller(part.begin + most, values.end);
        if (!piece_sums_means(sums, part, divisor, out + (part.begin - values.begin)))
            reducer_note_out_of_range(reducer, 1, part, NULL);
    }
}

const ReducerMethod reducer_buckets = {
    .bytes = sizeof(BucketsReducer),
    .init = init,
    .clear = clear,
    .begin = begin,
    .add = add,
    .poll = poll,
    .finish = finish,
    .get = get,
    .means = means,
};
