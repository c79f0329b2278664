/* Which rank holds which reference images: parts that follow the ranks' speed. Private to src/knn. */
#ifndef PARDIGITS_KNN_CUTS_H
#define PARDIGITS_KNN_CUTS_H

#include "core/partition.h"
#include "knn/knn.h"
#include "parallel/comm.h"

#include <stdbool.h>

/* cuts [ranks + 1]: rank r holds the images [cuts[r], cuts[r + 1]) of `total`. Even parts; or, with
 * `measured` and where speeds differ enough, parts by how fast each rank's threads multiply rows of pixels
 * (shares_cut), which takes a moment. Collective if measured, and then the same on every rank. Freed by the
 * caller (mem_free). */
int64_t *knn_cuts_new(const Comm *comm, int64_t total, const KnnMethod *method, bool measured, int threads);

/* This rank's part. */
static inline Range knn_cuts_own(const int64_t *cuts, const Comm *comm) {
    return (Range){cuts[comm_rank(comm)], cuts[comm_rank(comm) + 1]};
}

#endif
