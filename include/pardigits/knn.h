/* Exact nearest neighbours among images of 8-bit pixels: integer squared Euclidean distances, neighbours
 * ordered by (distance, index), so that the result is one and the same however the reference rows and queries
 * are cut. */
#ifndef PARDIGITS_KNN_H
#define PARDIGITS_KNN_H

#include "pardigits/comm.h"
#include "pardigits/family.h"
#include "pardigits/pixdot.h"

#include <stdint.h>

typedef struct {
    uint32_t distance; /* squared, exact: at most 255 * 255 * PIXDOT_MAX_COLUMNS */
    uint32_t index;    /* in the whole reference set */
} Neighbour;

/* The nearest rows to each query among one rank's reference rows, which are first_index, first_index + 1, ...
 * of the whole set. out [queries->rows][min(k, reference->rows)], nearest first, ties to the smaller index.
 * OpenMP over blocks of queries. Not collective. */
void knn_search(const PixRows *reference, int64_t first_index, const PixRows *queries, int64_t k, int threads,
                Neighbour *out);

/* The same among the reference rows of all ranks: rank r holds partition_range(reference_total, size, r) of
 * them, and every rank has the same queries. Rank r receives the neighbours of its share of the queries,
 * partition_range(queries->rows, size, r): out [range_size(share)][min(k, reference_total)]. Collective. */
void knn_search_ranks(const Comm *comm, const PixRows *reference, int64_t reference_total,
                      const PixRows *queries, int64_t k, int threads, Neighbour *out);

/* The majority among count > 0 neighbours' labels (labels of the whole reference set); ties go to the smaller
 * label. confidence is the label's share of the votes. */
Prediction knn_vote(const Neighbour *neighbours, int64_t count, const uint8_t *labels);

#endif
