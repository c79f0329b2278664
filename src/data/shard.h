/* The samples of an epoch, cut into steps, micro-batches and ranks, and their way to the ranks that work on
 * them.
 *
 * The order of an epoch is a permutation of the training set. A step takes the next `batch` entries (the last
 * one what is left); a step is cut into micro-batches of `micro-batch` entries (the last one what is left);
 * the micro-batches of a step are cut over the ranks by partition_range, or by shares that follow their
 * speed. Everything but shard_share, shard_fetch and EpochShard is plain arithmetic on plain integers. */
#ifndef PARDIGITS_DATA_SHARD_H
#define PARDIGITS_DATA_SHARD_H

#include "core/partition.h"
#include "parallel/comm.h"
#include "store/image_set.h"

#include <stdint.h>

/* How an epoch is cut. */
typedef struct {
    int64_t samples;     /* of the training set */
    int64_t batch;       /* samples of a step */
    int64_t micro_batch; /* samples of a micro-batch */
    int ranks;
    const int64_t *cuts; /* [ranks + 1]: of cuts[ranks] equal parts of a step, rank r gets cuts[r] up to
                            cuts[r + 1], in whole micro-batches; NULL: even shares */
} BatchPartition;

/* Steps of an epoch, the last one perhaps smaller. */
int64_t epoch_steps(const BatchPartition *partition);

/* Positions of the epoch's order that belong to a step. */
Range epoch_step_positions(const BatchPartition *partition, int64_t step);

/* Those that a rank works on: whole micro-batches, an empty range where there are fewer micro-batches than
 * ranks. */
Range epoch_rank_positions(const BatchPartition *partition, int64_t step, int rank);

/* How many samples a rank works on in these steps. */
int64_t epoch_rank_samples(const BatchPartition *partition, Range steps, int rank);

/* Rows `wanted` of the training set (this rank's wish, which may be empty or everything), from shards that
 * hold partition_range(samples, ranks, rank). Collective. Freed by the caller. */
ImageSet shard_fetch(const Comm *comm, int64_t samples, const ImageSet *shard, Range wanted);

/* All images on every rank, from shards that hold partition_range(samples, ranks, rank), which it frees: in
 * memory that the ranks of `node`, which is node_ranks(comm), share. Collective. Freed by shard_share_free.
 */
ImageSet shard_share(const Comm *comm, const Comm *node, int64_t samples, ImageSet *shard);
void shard_share_free(const Comm *node, ImageSet *set);

/* Samples in the order in which a rank works on them. */
typedef struct {
    int64_t n;
    const uint8_t *images;   /* [any][height][width] */
    const uint8_t *labels;   /* [any] */
    const uint32_t *rows;    /* [n] where sample i lies in images and labels */
    const uint32_t *indices; /* [n] its index in the training set */
} Samples;

/* Samples first..first+n. */
Samples samples_slice(const Samples *samples, int64_t first, int64_t n);

/* The samples of this rank's micro-batches of some steps, on their way to it or arrived. */
typedef struct {
    BatchPartition partition; /* as it was at the start */
    Range steps;
    Samples samples;
    uint8_t *images, *labels; /* owned, as is all that follows; NULL where samples points elsewhere */
    uint32_t *rows, *indices;
    int64_t *cuts, *row_counts; /* the partition's; [2][ranks] rows sent and received */
    ImageSet sent;
    CommExchange *exchanges[2]; /* of images and labels */
} EpochShard;

/* Sends this rank the samples that its micro-batches of these steps of an epoch need, while it goes on
 * working. Collective, as are the calls below. order [samples] is the epoch's, the same on every rank; shard
 * holds this rank's rows partition_range(samples, ranks, rank). Both must stay as they are until the shard is
 * freed, as the result may point into them. Freed by epoch_shard_free, which waits. */
EpochShard epoch_shard_start(const BatchPartition *partition, const Comm *comm, const ImageSet *shard,
                             const uint32_t *order, Range steps);

/* Lets the samples proceed; not collective. */
void epoch_shard_progress(EpochShard *epoch);

/* After this the samples may be read. */
void epoch_shard_wait(EpochShard *epoch);
void epoch_shard_free(EpochShard *epoch);

#endif
