/* Exact search that looks closely at few reference rows only. Private to src/knn. */
#ifndef PARDIGITS_KNN_PRUNED_H
#define PARDIGITS_KNN_PRUNED_H

#include "knn/knn.h"

enum { PRUNED_MAX_COLUMNS = PIXELS_MAX };

/* Makes the index of reference rows [rows][columns], columns <= PRUNED_MAX_COLUMNS, which must outlive it.
 * OpenMP; not collective; freed by pruned_index_free. */
KnnIndex *pruned_index_create(const uint8_t *pixels, int64_t rows, int columns, int threads);
void pruned_index_free(KnnIndex **index);

/* As knn_search, with the same result. queries [n][columns]. */
void pruned_search(const KnnIndex *index, int64_t first_index, const uint8_t *queries, int64_t n, int64_t k,
                   int threads, CommExchange *under_way, Neighbour *out);

#endif
