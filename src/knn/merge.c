#include "knn/merge.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/partition.h"

#include <stdbool.h>
#include <string.h>

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

ListMerge *merge_start(const Comm *comm, int64_t queries, const int64_t *cuts, int64_t k, Neighbour *lists) {
    const int ranks = comm_size(comm), rank = comm_rank(comm);
    ListMerge *merge = mem_new(1, sizeof *merge);
    *merge = (ListMerge){.queries = queries, .k = k, .cuts = cuts, .lists = lists};
    if (ranks == 1) return merge;
    merge->lengths = mem_new((size_t)ranks * 3, sizeof *merge->lengths);
    merge->sent = merge->lengths + ranks;
    merge->got = merge->sent + ranks;
    for (int r = 0; r < ranks; r++)
        merge->lengths[r] = smaller(k, cuts[r + 1] - cuts[r]);
    const int64_t share = range_size(partition_range(queries, ranks, rank));
    int64_t received = 0;
    for (int r = 0; r < ranks; r++) {
        merge->sent[r] = range_size(partition_range(queries, ranks, r)) * merge->lengths[rank];
        merge->got[r] = share * merge->lengths[r];
        received += merge->got[r];
    }
    merge->received = mem_new((size_t)received, sizeof *merge->received);
    merge->exchange =
        comm_exchange_start(comm, lists, merge->sent, merge->received, merge->got, sizeof *lists);
    return merge;
}

Neighbour *merge_finish(ListMerge **pointer, const Comm *comm) {
    ListMerge *merge = *pointer;
    const int ranks = comm_size(comm);
    Neighbour *merged = merge->lists;
    if (ranks > 1) {
        const int64_t share = range_size(partition_range(merge->queries, ranks, comm_rank(comm)));
        const int64_t count = smaller(merge->k, merge->cuts[ranks]);
        comm_exchange_wait(&merge->exchange);
        mem_free(merge->lists);
        merged = mem_new((size_t)(share * count), sizeof *merged);
        merge_share(merge->received, merge->lengths, ranks, share, count, merged);
        mem_free(merge->received);
        mem_free(merge->lengths);
    }
    mem_free(merge);
    *pointer = NULL;
    return merged;
}
