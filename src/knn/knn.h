/* Nearest neighbours among images of 8-bit pixels, by exact integer distances: neighbours are ordered by
 * (distance, index), so that the result is one and the same however the reference rows and queries are cut.
 */
#ifndef PARDIGITS_KNN_KNN_H
#define PARDIGITS_KNN_KNN_H

#include "kernels/distortion.h"
#include "kernels/pixdot.h"
#include "model/model.h"
#include "parallel/comm.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t distance; /* exact: squared Euclidean, at most 255 * 255 * PIXDOT_MAX_COLUMNS, or a distortion's
                          cost */
    uint32_t index;    /* in the whole reference set */
} Neighbour;

/* The nearest rows to each query among one rank's reference rows, which are first_index, first_index + 1, ...
 * of the whole set, by squared Euclidean distance. out [queries->rows][min(k, reference->rows)], nearest
 * first, ties to the smaller index. OpenMP over blocks of queries; meanwhile the calling thread asks now and
 * then for an exchange under way (NULL for none). Not collective. */
void knn_search(const PixRows *reference, int64_t first_index, const PixRows *queries, int64_t k, int threads,
                CommExchange *under_way, Neighbour *out);

typedef struct KnnIndex KnnIndex; /* of a search that looks at few rows only */

/* What "near" means. */
typedef struct {
    ImageSpec spec;        /* of the images */
    int64_t k;             /* how many neighbours are wanted */
    int64_t candidates;    /* how many of the nearest by Euclidean distance are compared by their distortion;
                              0: the Euclidean distance is all */
    Distortion distortion; /* used with candidates > 0 */
    bool gradient; /* the Euclidean distance is between gradient_features of images, not their pixels */
    bool pruned;   /* search by an index of this rank's images, made first; exact all the same */
} KnnMethod;

/* One rank's part of the reference images. */
typedef struct {
    int64_t total, first; /* images of all ranks; index of the first one here */
    int64_t *cuts;        /* [ranks + 1] rank r has the images [cuts[r], cuts[r + 1]) */
    PixRows rows;         /* without data where there is an index */
    KnnIndex *index;      /* where it makes searches faster; else NULL */
    uint8_t *features;    /* [rows][columns] that the index points to; NULL: the images themselves */
    Gradients *gradients; /* [rows.rows] for methods with candidates; else NULL */
} KnnReference;

/* images [own part][columns], which must outlive the reference of a method that is pruned; cuts [ranks + 1],
 * made by mem_new, are taken over; with candidates or gradient, columns is the pixels of method->spec. Not
 * collective; OpenMP. Freed by knn_reference_free. */
KnnReference knn_reference_new(const Comm *comm, int64_t *cuts, const uint8_t *images, int columns,
                               const KnnMethod *method, int threads);
void knn_reference_free(KnnReference *reference);

/* Whether an index makes searches for k neighbours among so many of this rank's rows faster than this build's
 * products of whole rows are. */
bool knn_pruning_pays(int64_t rows, int columns, int64_t k);

/* How many neighbours a query gets: k, or fewer where there aren't as many images or candidates. */
int64_t knn_neighbour_count(const KnnMethod *method, int64_t reference_total);

/* Takes a query's neighbours [knn_neighbour_count], nearest first. */
typedef void (*KnnTake)(void *context, int64_t query, const Neighbour *neighbours);

/* Finds the neighbours of images [n][columns], the same on every rank, among all ranks' reference images.
 * Each query is taken once, on one of the ranks. Queries go in blocks: a block's lists travel between the
 * ranks and are merged while the next block is searched. The same neighbours for any number of ranks and
 * threads. Collective; take is called by the calling thread. */
void knn_nearest(const Comm *comm, const KnnReference *reference, const KnnMethod *method,
                 const uint8_t *images, int64_t n, int threads, KnnTake take, void *context);

/* How neighbours vote: each has one vote, or, weighted, the inverse of its distance; those at distance 0 then
 * vote alone. Ties go to the smaller label. */
typedef struct {
    bool weighted;
    int classes;
    const uint8_t *labels; /* of the whole reference set */
} KnnVoting;

/* The vote of count > 0 neighbours, nearest first. confidence is the label's share of the votes; shares
 * [classes] are those of all classes (NULL: not wanted). */
Prediction knn_vote(const KnnVoting *voting, const Neighbour *neighbours, int64_t count, float *shares);

/* right[k] += 1 for each k in [1, count] for which the first k neighbours vote for label. */
void knn_count_votes(const KnnVoting *voting, const Neighbour *neighbours, int64_t count, uint8_t label,
                     int64_t *right);

extern const ModelFamily knn_family;

#endif
