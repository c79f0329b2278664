#include "cnn/gradient_reducer.h"

#include "cnn/micro_batch.h"

#include "core/mem.h"
#include "parallel/exact_sum.h"
#include "parallel/node_memory.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum {
    PIECE_TERMS = 1 << 14,  /* that a thread adds under one lock: some microseconds */
    BUCKET_TERMS = 1 << 16, /* that are worth a message of their own */
    BLOCK_TERMS = 1 << 10,  /* that are added up in the first-level cache */
    SLOTS_BYTES = 1 << 26,  /* of all slots */
    POLL_TESTS = 16,
};

typedef struct {
    Range terms;
    atomic_flag taken;
    int64_t micro_batches; /* added so far; the first one is written, not added */
} Piece;

typedef struct {
    Range terms, pieces;
    atomic_int_fast64_t micro_batches; /* of this rank, added so far */
    CommSum *sending;                  /* under way over MPI */
} Bucket;

/* In common memory: what the ranks of a node know of each other. Out-of-range terms and signals of earlier
 * steps stay counted. */
typedef struct {
    atomic_uint_fast64_t out_of_range, signalled;
    atomic_int_fast64_t slots; /* taken in this step */
    atomic_int_fast64_t
        done[NETWORK_MAX_LAYERS + 2]; /* a bucket's ranks whose micro-batches have all been added */
} SharedState;

struct GradientReducer {
    const Comm *node;
    Comm *leaders; /* the first ranks of all nodes; not of use on other ranks */
    bool is_leader;
    int64_t nodes;
    int64_t micro_batches, all; /* of this step: this rank's, all ranks' */
    int bucket_count, sent;
    Bucket *buckets; /* in the order in which they become complete; but the first: what isn't gradients, and
                        is sent last */
    int64_t slot_count, slot_floats;
    /* in common memory */
    SharedState *common;
    Piece *pieces;
    float *slots; /* [slot_count][slot_floats] */
    ExactSum sum; /* with one more term: how many ranks were signalled */
};

/* A rank that isn't the leader makes the same plan, which the leader writes. */
static void add_bucket(GradientReducer *sum, Range terms) {
    Bucket *bucket = &sum->buckets[sum->bucket_count];
    int64_t first = sum->bucket_count ? bucket[-1].pieces.end : 0;
    bucket->terms = terms;
    bucket->pieces = (Range){first, first};
    for (int64_t at = terms.begin; at < terms.end; at += PIECE_TERMS) {
        int64_t end = at + PIECE_TERMS < terms.end ? at + PIECE_TERMS : terms.end;
        Piece *piece = &sum->pieces[bucket->pieces.end++];
        if (sum->is_leader) *piece = (Piece){{at, end}, ATOMIC_FLAG_INIT, 0};
    }
    sum->bucket_count++;
}

static void plan_buckets(GradientReducer *sum, const Network *net, const MicroBatchPlan *plan,
                         int64_t terms) {
    add_bucket(sum, (Range){net->param_floats, terms});
    int64_t end = net->param_floats;
    for (int k = 0; k < plan->backward_count; k++) {
        int64_t begin = plan->backward[k].params.begin;
        if (end - begin < BUCKET_TERMS && k + 1 < plan->backward_count) continue;
        add_bucket(sum, (Range){begin, end});
        end = begin;
    }
    if (sum->nodes == 1 || sum->bucket_count > 2) return;
    sum->bucket_count = 0; /* everything goes as one message */
    add_bucket(sum, (Range){0, terms});
}

static void share_memory(GradientReducer *sum, const Network *net, int64_t most_micro_batches,
                         size_t buckets) {
    const int64_t terms = contribution_floats(net);
    const Comm *node = sum->node;
    sum->slot_floats = (terms + NETWORK_ALIGN - 1) / NETWORK_ALIGN * NETWORK_ALIGN;
    const int64_t fitting = SLOTS_BYTES / (sum->slot_floats * (int64_t)sizeof(float));
    sum->slot_count = sum->nodes == 1 && most_micro_batches <= fitting ? most_micro_batches : 0;
    sum->common = node_memory_new(node, 1, sizeof *sum->common);
    sum->pieces = node_memory_new(node, (size_t)(terms / PIECE_TERMS) + buckets, sizeof *sum->pieces);
    sum->slots = node_memory_new(node, (size_t)(sum->slot_count * sum->slot_floats), sizeof(float));
    sum->sum = (ExactSum){terms + 1, node_memory_new(node, (size_t)terms + 2, sizeof(uint64_t))};
}

GradientReducer *gradient_reducer_new(const Network *net, const MicroBatchPlan *plan,
                                      int64_t most_micro_batches, const Comm *ranks, const Comm *node) {
    GradientReducer *sum = mem_new(1, sizeof *sum);
    size_t buckets = (size_t)plan->backward_count + 1;
    sum->node = node;
    sum->is_leader = comm_rank(node) == 0;
    sum->leaders = comm_split(ranks, sum->is_leader ? 0 : 1);
    sum->nodes = comm_size(sum->leaders);
    comm_broadcast(node, &sum->nodes, sizeof sum->nodes, 0);
    sum->buckets = mem_new(buckets, sizeof *sum->buckets);
    share_memory(sum, net, most_micro_batches, buckets);
    plan_buckets(sum, net, plan, contribution_floats(net));
    comm_barrier(node);
    return sum;
}

void gradient_reducer_free(GradientReducer **sum_pointer) {
    GradientReducer *sum = *sum_pointer;
    if (!sum) return;
    node_memory_free(sum->node, sum->common);
    node_memory_free(sum->node, sum->pieces);
    node_memory_free(sum->node, sum->slots);
    node_memory_free(sum->node, sum->sum.sums);
    comm_destroy(&sum->leaders);
    mem_free(sum->buckets);
    mem_free(sum);
    *sum_pointer = NULL;
}

static bool uses_slots(const GradientReducer *sum) {
    return sum->all <= sum->slot_count;
}

/* This rank has added all its micro-batches to bucket b. */
static void count_rank(GradientReducer *sum, int b) {
    if (sum->nodes > 1) atomic_fetch_add(&sum->common->done[b], 1);
}

void gradient_reducer_begin(GradientReducer *sum, int64_t micro_batches, int64_t all) {
    sum->micro_batches = micro_batches;
    sum->all = all;
    sum->sent = 1;
    for (int b = 0; b < sum->bucket_count; b++) {
        atomic_store(&sum->buckets[b].micro_batches, 0);
        if (micro_batches == 0) count_rank(sum, b);
    }
}

float *gradient_reducer_slot(GradientReducer *sum) {
    if (!uses_slots(sum)) return NULL;
    return sum->slots + atomic_fetch_add(&sum->common->slots, 1) * sum->slot_floats;
}

/* Returns how many terms were refused. */
static uint64_t add_piece(GradientReducer *sum, Piece *piece, const float *terms) {
    while (atomic_flag_test_and_set_explicit(&piece->taken, memory_order_acquire))
        sched_yield();
    uint64_t out_of_range = exact_sum_convert(terms + piece->terms.begin, range_size(piece->terms),
                                              piece->micro_batches > 0, sum->sum.sums + piece->terms.begin);
    piece->micro_batches++;
    atomic_flag_clear_explicit(&piece->taken, memory_order_release);
    return out_of_range;
}

void gradient_reducer_add(GradientReducer *sum, Range range, const float *terms, int turn) {
    int b = 0; /* the bucket that this range completes */
    while (b < sum->bucket_count && sum->buckets[b].terms.begin != range.begin)
        b++;
    if (b == sum->bucket_count || range_size(range) == 0 || (b > 0 && uses_slots(sum))) return;
    Bucket *bucket = &sum->buckets[b];
    uint64_t out_of_range = 0;
    int64_t pieces = range_size(bucket->pieces);
    for (int64_t p = 0; p < pieces; p++)
        out_of_range += add_piece(sum, &sum->pieces[bucket->pieces.begin + (p + turn) % pieces], terms);
    if (out_of_range) atomic_fetch_add(&sum->common->out_of_range, out_of_range);
    if (atomic_fetch_add(&bucket->micro_batches, 1) + 1 == sum->micro_batches) count_rank(sum, b);
}

/* Of a node without leaves there is nothing in it yet. */
static void send_bucket(GradientReducer *sum, Bucket *bucket, int64_t end) {
    for (int64_t p = bucket->pieces.begin; p < bucket->pieces.end; p++) {
        const Piece *piece = &sum->pieces[p];
        if (piece->micro_batches > 0) continue;
        memset(sum->sum.sums + piece->terms.begin, 0,
               (size_t)range_size(piece->terms) * sizeof *sum->sum.sums);
    }
    bucket->sending =
        comm_sum_start(sum->leaders, sum->sum.sums + bucket->terms.begin, end - bucket->terms.begin);
}

bool gradient_reducer_poll(GradientReducer *sum) {
    if (sum->nodes == 1 || !sum->is_leader) return true;
    for (; sum->sent < sum->bucket_count; sum->sent++) {
        if (atomic_load(&sum->common->done[sum->sent]) < comm_size(sum->node)) break;
        send_bucket(sum, &sum->buckets[sum->sent], sum->buckets[sum->sent].terms.end);
    }
    /* a test moves only a few of the fragments that a large message is cut into */
    for (int b = 1, tests = 0; b < sum->sent && tests < POLL_TESTS; tests++)
        b += comm_sum_test(sum->buckets[b].sending);
    return sum->sent == sum->bucket_count;
}

/* By the leader, when all ranks of the node have added their micro-batches. */
static void finish_messages(GradientReducer *sum) {
    sum->sum.sums[sum->sum.n - 1] = atomic_load(&sum->common->signalled);
    sum->sum.sums[sum->sum.n] = atomic_load(&sum->common->out_of_range);
    gradient_reducer_poll(sum);
    send_bucket(sum, &sum->buckets[0], sum->sum.n + 1);
    for (int b = sum->bucket_count - 1; b >= 0; b--)
        comm_sum_wait(&sum->buckets[b].sending);
}

/* By the leader; the other ranks of the node look at none of this before the next step. */
static void prepare_next_step(GradientReducer *sum) {
    atomic_store(&sum->common->slots, 0);
    for (int b = 0; b < sum->bucket_count; b++)
        atomic_store(&sum->common->done[b], 0);
    for (int64_t p = 0; p < sum->buckets[sum->bucket_count - 1].pieces.end; p++)
        sum->pieces[p].micro_batches = 0;
}

void gradient_reducer_finish(GradientReducer *sum, bool signalled) {
    if (signalled) atomic_fetch_add(&sum->common->signalled, 1);
    comm_barrier(sum->node);
    if (sum->is_leader && sum->nodes > 1) finish_messages(sum);
    if (sum->is_leader) prepare_next_step(sum);
    if (sum->nodes > 1) comm_barrier(sum->node);
}

bool gradient_reducer_signalled(const GradientReducer *sum) {
    return sum->nodes > 1 ? sum->sum.sums[sum->sum.n - 1] > 0 : atomic_load(&sum->common->signalled) > 0;
}

double gradient_reducer_get(const GradientReducer *sum, int64_t term) {
    return exact_sum_get(&sum->sum, term);
}

bool gradient_reducer_out_of_range(const GradientReducer *sum) {
    return sum->nodes > 1 ? exact_sum_out_of_range(&sum->sum) > 0
                          : atomic_load(&sum->common->out_of_range) > 0;
}

static uint64_t means_of_many(const GradientReducer *sum, int64_t first, int64_t count, double divisor,
                              float *out) {
    uint64_t sums[BLOCK_TERMS], out_of_range = 0;
    for (int64_t slot = 0; slot < sum->all; slot++)
        out_of_range +=
            exact_sum_convert(sum->slots + slot * sum->slot_floats + first, count, slot > 0, sums);
    exact_sum_means(&(ExactSum){count, sums}, 0, count, divisor, out);
    return out_of_range;
}

/* The means of up to BLOCK_TERMS terms from all slots. */
static void means_of_slots(GradientReducer *sum, int64_t first, int64_t count, double divisor, float *out) {
    uint64_t out_of_range =
        sum->all > EXACT_SUM_FEW
            ? means_of_many(sum, first, count, divisor, out)
            : exact_sum_means_of_few(sum->all, sum->slots + first, sum->slot_floats, count, divisor, out);
    if (out_of_range) atomic_fetch_add(&sum->common->out_of_range, out_of_range);
}

void gradient_reducer_means(GradientReducer *sum, Range range, double divisor, float *out) {
    const bool in_slots = uses_slots(sum) && range.begin < sum->buckets[0].terms.begin;
    for (int64_t at = range.begin, count; at < range.end; at += count) {
        count = range.end - at < BLOCK_TERMS ? range.end - at : BLOCK_TERMS;
        if (in_slots)
            means_of_slots(sum, at, count, divisor, out + (at - range.begin));
        else
            exact_sum_means(&sum->sum, at, count, divisor, out + (at - range.begin));
    }
}
