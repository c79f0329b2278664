#include "pardigits/knn.h"

#include "pardigits/mem.h"

#include <stdbool.h>
#include <string.h>

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* The nearest `count` of two sorted lists. All of a's indices are below b's, so a goes first on equal
 * distances. */
static void merge_two(const Neighbour *a, int64_t a_count, const Neighbour *b, int64_t b_count,
                      Neighbour *merged, int64_t count) {
    int64_t i = 0, j = 0;
    for (int64_t n = 0; n < count; n++) {
        bool take_a = j == b_count || (i < a_count && a[i].distance <= b[j].distance);
        merged[n] = take_a ? a[i++] : b[j++];
    }
}

/* One query's lists of all ranks, in the order of the ranks, into out [k]. lists[r] points to rank r's list
 * of counts[r] neighbours; work [k]. */
static void merge_lists(const Neighbour *const *lists, const int64_t *counts, int ranks, int64_t k,
                        Neighbour *work, Neighbour *out) {
    int64_t have = 0;
    for (int r = 0; r < ranks; r++) {
        int64_t count = smaller(have + counts[r], k);
        memcpy(work, out, (size_t)have * sizeof *out);
        merge_two(work, have, lists[r], counts[r], out, count);
        have = count;
    }
}

/* received holds, rank by rank, the lists [share][counts[r]] for this rank's share of the queries. */
static void merge_share(const Neighbour *received, const int64_t *counts, int ranks, int64_t share, int64_t k,
                        Neighbour *out) {
    const Neighbour **lists = mem_new((size_t)ranks, sizeof *lists);
    Neighbour *work = mem_new((size_t)k, sizeof *work);
    for (int r = 0; r < ranks; r++) {
        lists[r] = received;
        received += share * counts[r];
    }
    for (int64_t q = 0; q < share; q++) {
        merge_lists(lists, counts, ranks, k, work, out + q * k);
        for (int r = 0; r < ranks; r++)
            lists[r] += counts[r];
    }
    mem_free(work);
    mem_free(lists);
}

void knn_search_ranks(const Comm *comm, const PixRows *reference, int64_t reference_total,
                      const PixRows *queries, int64_t k, int threads, Neighbour *out) {
    int ranks = comm_size(comm), rank = comm_rank(comm);
    int64_t first = partition_range(reference_total, ranks, rank).begin;
    if (ranks == 1) {
        knn_search(reference, first, queries, k, threads, out);
        return;
    }
    int64_t share = range_size(partition_range(queries->rows, ranks, rank)), received_count = 0;
    int64_t *counts = mem_new((size_t)ranks * 3, sizeof *counts), *sent = counts + ranks, *got = sent + ranks;
    for (int r = 0; r < ranks; r++)
        counts[r] = smaller(k, range_size(partition_range(reference_total, ranks, r)));
    for (int r = 0; r < ranks; r++) {
        sent[r] = range_size(partition_range(queries->rows, ranks, r)) * counts[rank];
        got[r] = share * counts[r];
        received_count += got[r];
    }
    Neighbour *local = mem_new((size_t)(queries->rows * counts[rank]), sizeof *local);
    Neighbour *received = mem_new((size_t)received_count, sizeof *received);
    knn_search(reference, first, queries, k, threads, local);
    comm_exchange_rows(comm, local, sent, received, got, sizeof *local);
    merge_share(received, counts, ranks, share, smaller(k, reference_total), out);
    mem_free(received);
    mem_free(local);
    mem_free(counts);
}
