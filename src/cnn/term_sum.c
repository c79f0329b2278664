#include "term_sum.h"

#include "leaf.h"

#include "pardigits/mem.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum {
    PIECE_TERMS = 1 << 14,  /* that a thread adds under one lock: some microseconds */
    BUCKET_TERMS = 1 << 16, /* that are worth a message of their own */
    POLL_TESTS = 16,
};

typedef struct {
    Range terms;
    atomic_flag taken;
    int64_t leaves; /* added so far; the first one is written, not added */
} Piece;

typedef struct {
    Range terms, pieces;
    atomic_int_fast64_t leaves; /* added so far */
    CommSum *sending;           /* under way over MPI */
} Bucket;

struct TermSum {
    const Comm *comm;
    ExactSum sum;
    atomic_uint_fast64_t refused;
    int64_t leaves; /* of this step */
    int bucket_count, sent;
    Bucket *buckets; /* in the order in which they become complete; but the first: what isn't gradients, and
                        is sent last */
    Piece *pieces;
};

static void add_bucket(TermSum *sum, Range terms) {
    Bucket *bucket = &sum->buckets[sum->bucket_count];
    int64_t first = sum->bucket_count ? bucket[-1].pieces.end : 0;
    bucket->terms = terms;
    bucket->pieces = (Range){first, first};
    for (int64_t at = terms.begin; at < terms.end; at += PIECE_TERMS) {
        int64_t end = at + PIECE_TERMS < terms.end ? at + PIECE_TERMS : terms.end;
        sum->pieces[bucket->pieces.end++] = (Piece){{at, end}, ATOMIC_FLAG_INIT, 0};
    }
    sum->bucket_count++;
}

TermSum *term_sum_new(const Network *net, const LeafPlan *plan, const Comm *comm) {
    TermSum *sum = mem_new(1, sizeof *sum);
    int64_t terms = leaf_term_count(net);
    size_t buckets = (size_t)plan->backward_count + 1;
    sum->comm = comm;
    sum->sum = exact_sum_new(terms + 1);
    sum->buckets = mem_new(buckets, sizeof *sum->buckets);
    sum->pieces = mem_new((size_t)(terms / PIECE_TERMS) + buckets, sizeof *sum->pieces);
    add_bucket(sum, (Range){net->param_floats, terms});
    int64_t end = net->param_floats;
    for (int k = 0; k < plan->backward_count; k++) {
        int64_t begin = plan->backward[k].params.begin;
        if (end - begin < BUCKET_TERMS && k + 1 < plan->backward_count) continue;
        add_bucket(sum, (Range){begin, end});
        end = begin;
    }
    return sum;
}

void term_sum_free(TermSum **sum_pointer) {
    TermSum *sum = *sum_pointer;
    if (!sum) return;
    exact_sum_free(&sum->sum);
    mem_free(sum->buckets);
    mem_free(sum->pieces);
    mem_free(sum);
    *sum_pointer = NULL;
}

void term_sum_begin(TermSum *sum, int64_t leaves) {
    sum->leaves = leaves;
    sum->sent = 1;
    atomic_store(&sum->refused, 0);
    sum->sum.sums[sum->sum.n - 1] = 0; /* the ranks that were signalled */
    if (leaves == 0) exact_sum_clear(&sum->sum);
    for (int b = 0; b < sum->bucket_count; b++)
        atomic_store(&sum->buckets[b].leaves, 0);
    for (int64_t p = 0; p < sum->buckets[sum->bucket_count - 1].pieces.end; p++)
        sum->pieces[p].leaves = 0;
}

/* Returns how many terms were refused. */
static uint64_t add_piece(TermSum *sum, Piece *piece, const float *terms) {
    while (atomic_flag_test_and_set_explicit(&piece->taken, memory_order_acquire))
        sched_yield();
    uint64_t refused = exact_sum_convert(terms + piece->terms.begin, range_size(piece->terms),
                                         piece->leaves > 0, sum->sum.sums + piece->terms.begin);
    piece->leaves++;
    atomic_flag_clear_explicit(&piece->taken, memory_order_release);
    return refused;
}

void term_sum_add(TermSum *sum, Range range, const float *terms, int turn) {
    int b = 0; /* the bucket that this range completes */
    while (b < sum->bucket_count && sum->buckets[b].terms.begin != range.begin)
        b++;
    if (b == sum->bucket_count || range_size(range) == 0) return;
    Bucket *bucket = &sum->buckets[b];
    uint64_t refused = 0;
    int64_t pieces = range_size(bucket->pieces);
    for (int64_t p = 0; p < pieces; p++)
        refused += add_piece(sum, &sum->pieces[bucket->pieces.begin + (p + turn) % pieces], terms);
    atomic_fetch_add(&sum->refused, refused);
    atomic_fetch_add(&bucket->leaves, 1);
}

/* With one bucket of gradients everything goes as one message. */
static bool sends_buckets(const TermSum *sum) {
    return comm_size(sum->comm) > 1 && sum->bucket_count > 2;
}

bool term_sum_poll(TermSum *sum) {
    if (!sends_buckets(sum)) return true;
    for (; sum->sent < sum->bucket_count; sum->sent++) {
        Bucket *bucket = &sum->buckets[sum->sent];
        if (atomic_load(&bucket->leaves) < sum->leaves) break;
        bucket->sending =
            comm_sum_start(sum->comm, sum->sum.sums + bucket->terms.begin, range_size(bucket->terms));
    }
    /* a test moves only a few of the fragments that a large message is cut into */
    for (int b = 1, tests = 0; b < sum->sent && tests < POLL_TESTS; tests++)
        b += comm_sum_test(sum->buckets[b].sending);
    return sum->sent == sum->bucket_count;
}

const ExactSum *term_sum_finish(TermSum *sum, bool signalled) {
    const float one = 1;
    const int64_t first = sum->buckets[0].terms.begin, end = sum->sum.n + 1;
    sum->sum.sums[sum->sum.n] = atomic_load(&sum->refused);
    if (signalled) exact_sum_add(&sum->sum, sum->sum.n - 1, &one, 1);
    if (!sends_buckets(sum)) {
        exact_sum_reduce(&sum->sum, sum->comm);
        return &sum->sum;
    }
    term_sum_poll(sum);
    sum->buckets[0].sending = comm_sum_start(sum->comm, sum->sum.sums + first, end - first);
    for (int b = sum->bucket_count - 1; b >= 0; b--)
        comm_sum_wait(&sum->buckets[b].sending);
    return &sum->sum;
}
