/* Lists of neighbours of all ranks made into one. Private to src/knn. */
#ifndef PARDIGITS_KNN_MERGE_H
#define PARDIGITS_KNN_MERGE_H

#include "knn/knn.h"

/* Stands at the end of a list that is shorter than its room: further than any neighbour. */
#define NOBODY ((Neighbour){UINT32_MAX, UINT32_MAX})

/* Lists on their way to the ranks that merge them. */
typedef struct {
    int64_t queries, k;
    const int64_t *cuts;    /* [ranks + 1] */
    int64_t *lengths;       /* [ranks] of the lists that each rank sends for one query */
    int64_t *sent, *got;    /* [ranks] neighbours that this rank sends and receives */
    Neighbour *lists;       /* [queries][lengths[rank]] */
    Neighbour *received;    /* rank by rank: [share of the queries][lengths[r]] */
    CommExchange *exchange; /* NULL with one rank */
} ListMerge;

/* Starts the exchange of each rank's lists [queries][min(k, its rows by cuts)] of a block of queries, which
 * it takes over (made by mem_new). cuts [ranks + 1] are kept. Collective. */
ListMerge *merge_start(const Comm *comm, int64_t queries, const int64_t *cuts, int64_t k, Neighbour *lists);

/* Waits for the lists and gives this rank its share of the block, partition_range(queries, size, rank):
 * [share][min(k, all rows)], freed by the caller (mem_free). Frees and clears *merge. Collective. */
Neighbour *merge_finish(ListMerge **merge, const Comm *comm);

#endif
