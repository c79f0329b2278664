#include "data/shard.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/partition.h"
#include "parallel/node_memory.h"

#include <string.h>

int64_t epoch_steps(const BatchPartition *partition) {
    return divide_up(partition->samples, partition->batch);
}

Range epoch_step_positions(const BatchPartition *partition, int64_t step) {
    int64_t begin = smaller(step * partition->batch, partition->samples);
    return (Range){begin, smaller(begin + partition->batch, partition->samples)};
}

/* A rank's micro-batches of so many. */
static Range rank_micro_batches(const BatchPartition *partition, int64_t micro_batches, int rank) {
    const int64_t *cuts = partition->cuts;
    if (!cuts) return partition_range(micro_batches, partition->ranks, rank);
    const int64_t all = cuts[partition->ranks];
    return (Range){micro_batches * cuts[rank] / all, micro_batches * cuts[rank + 1] / all};
}

Range epoch_rank_positions(const BatchPartition *partition, int64_t step, int rank) {
    Range whole = epoch_step_positions(partition, step);
    Range mine = rank_micro_batches(partition, divide_up(range_size(whole), partition->micro_batch), rank);
    return (Range){smaller(whole.begin + mine.begin * partition->micro_batch, whole.end),
                   smaller(whole.begin + mine.end * partition->micro_batch, whole.end)};
}

int64_t epoch_rank_samples(const BatchPartition *partition, Range steps, int rank) {
    int64_t samples = 0;
    for (int64_t s = steps.begin; s < steps.end; s++)
        samples += range_size(epoch_rank_positions(partition, s, rank));
    return samples;
}

Samples samples_slice(const Samples *samples, int64_t first, int64_t n) {
    return (Samples){n, samples->images, samples->labels, samples->rows + first, samples->indices + first};
}

static Range overlap(Range a, Range b) {
    Range both = {a.begin > b.begin ? a.begin : b.begin, smaller(a.end, b.end)};
    return both.begin < both.end ? both : (Range){0, 0};
}

ImageSet shard_fetch(const Comm *comm, int64_t samples, const ImageSet *shard, Range wanted) {
    int ranks = comm_size(comm);
    int64_t bytes, total = 0;
    Range own = partition_range(samples, ranks, comm_rank(comm));
    Range *requested = comm_gather_bytes(comm, &wanted, sizeof wanted, &bytes);
    int64_t *rows = mem_new((size_t)ranks * 2, sizeof *rows), *send_rows = rows, *from_rows = rows + ranks;
    for (int r = 0; r < ranks; r++) {
        total += send_rows[r] = range_size(overlap(own, requested[r]));
        from_rows[r] = range_size(overlap(partition_range(samples, ranks, r), wanted));
    }
    const int64_t pixels = image_spec_pixels(shard->spec);
    ImageSet out = image_set_new(total, shard->spec);
    out.n = 0;
    for (int r = 0; r < ranks; r++) {
        int64_t first = overlap(own, requested[r]).begin - own.begin;
        if (send_rows[r] == 0) continue;
        memcpy(out.images + out.n * pixels, shard->images + first * pixels, (size_t)(send_rows[r] * pixels));
        memcpy(out.labels + out.n, shard->labels + first, (size_t)send_rows[r]);
        out.n += send_rows[r];
    }
    int64_t n = range_size(wanted);
    ImageSet set = image_set_new(n, shard->spec);
    comm_exchange_rows(comm, out.images, send_rows, set.images, from_rows, pixels);
    comm_exchange_rows(comm, out.labels, send_rows, set.labels, from_rows, 1);
    image_set_free(&out);
    mem_free(rows);
    mem_free(requested);
    return set;
}

/* One rank of each node sends the others what its ranks have put in their memory. firsts [ranks]: which rank
 * is the first of a rank's node. */
static void share_between_nodes(const Comm *nodes, const int *firsts, int ranks, int64_t samples,
                                const ImageSet *all) {
    const int64_t pixels = image_spec_pixels(all->spec);
    for (int r = 0, end; r < ranks; r = end) {
        int root = 0;
        for (end = r + 1; end < ranks && firsts[end] == firsts[r];)
            end++;
        for (int earlier = 0; earlier < firsts[r]; earlier++)
            root += firsts[earlier] == earlier;
        const Range rows = {partition_range(samples, ranks, r).begin,
                            partition_range(samples, ranks, end - 1).end};
        comm_broadcast(nodes, all->images + rows.begin * pixels, range_size(rows) * pixels, root);
        comm_broadcast(nodes, all->labels + rows.begin, range_size(rows), root);
    }
}

/* Collective; the images of this rank are in `all` already. */
static void share_images(const Comm *comm, const Comm *node, int64_t samples, const ImageSet *all) {
    const int ranks = comm_size(comm);
    int *firsts = mem_new((size_t)ranks, sizeof *firsts), first = comm_rank(comm);
    comm_broadcast(node, &first, sizeof first, 0);
    comm_gather(comm, &first, sizeof first, firsts); /* now all ranks have put theirs there */
    const bool is_first = first == comm_rank(comm);
    Comm *nodes = comm_split(comm, is_first);
    if (is_first) share_between_nodes(nodes, firsts, ranks, samples, all);
    comm_destroy(&nodes);
    mem_free(firsts);
    comm_barrier(node);
}

ImageSet shard_share(const Comm *comm, const Comm *node, int64_t samples, ImageSet *shard) {
    const int64_t pixels = image_spec_pixels(shard->spec),
                  first = partition_range(samples, comm_size(comm), comm_rank(comm)).begin;
    ImageSet all = *shard;
    if (comm_size(comm) > 1) {
        all = (ImageSet){.n = samples, .spec = shard->spec};
        all.images = node_memory_new(node, (size_t)(samples * pixels), 1);
        all.labels = node_memory_new(node, (size_t)samples, 1);
        memcpy(all.images + first * pixels, shard->images, (size_t)(shard->n * pixels));
        memcpy(all.labels + first, shard->labels, (size_t)shard->n);
        image_set_free(shard);
        share_images(comm, node, samples, &all);
    }
    *shard = (ImageSet){0};
    return all;
}

void shard_share_free(const Comm *node, ImageSet *set) {
    node_memory_free(node, set->images);
    node_memory_free(node, set->labels);
    *set = (ImageSet){0};
}

/* Some steps of an epoch. */
typedef struct {
    const BatchPartition *partition;
    const uint32_t *order; /* [samples] of the epoch */
    Range steps;
} EpochPart;

/* The training samples that a rank works on, in order; freed by the caller. */
static uint32_t *list_indices(const EpochPart *part, int rank, int64_t *n) {
    const BatchPartition *partition = part->partition;
    int64_t count = 0;
    uint32_t *indices = mem_new((size_t)epoch_rank_samples(partition, part->steps, rank), sizeof *indices);
    for (int64_t step = part->steps.begin; step < part->steps.end; step++) {
        Range range = epoch_rank_positions(partition, step, rank);
        for (int64_t p = range.begin; p < range.end; p++)
            indices[count++] = part->order[p];
    }
    *n = count;
    return indices;
}

/* How many of this rank's rows, which are `own`, the ranks need. */
static int64_t count_outgoing(const EpochPart *part, Range own) {
    const Range positions = {epoch_step_positions(part->partition, part->steps.begin).begin,
                             epoch_step_positions(part->partition, part->steps.end).begin};
    int64_t count = 0;
    for (int64_t p = positions.begin; p < positions.end; p++)
        count += part->order[p] >= own.begin && part->order[p] < own.end;
    return count;
}

/* This rank's rows, sorted by the rank that needs them and then by when; send_rows [ranks] gets how many each
 * needs. */
static ImageSet gather_outgoing(const EpochPart *part, int rank, const ImageSet *shard, int64_t *send_rows) {
    const BatchPartition *partition = part->partition;
    Range own = partition_range(partition->samples, partition->ranks, rank);
    const int64_t pixels = image_spec_pixels(shard->spec);
    ImageSet out = image_set_new(count_outgoing(part, own), shard->spec);
    out.n = 0;
    for (int r = 0; r < partition->ranks; r++) {
        int64_t before = out.n, n;
        uint32_t *indices = list_indices(part, r, &n);
        for (int64_t i = 0; i < n; i++) {
            int64_t row = indices[i] - own.begin;
            if (row < 0 || row >= range_size(own)) continue;
            memcpy(out.images + out.n * pixels, shard->images + row * pixels, (size_t)pixels);
            out.labels[out.n++] = shard->labels[row];
        }
        send_rows[r] = out.n - before;
        mem_free(indices);
    }
    return out;
}

/* rows[i] becomes the place of sample i among rows that arrive sorted by sender; from_rows [ranks] gets how
 * many come from each. */
static void place_incoming(const BatchPartition *partition, const Samples *samples, uint32_t *rows,
                           int64_t *from_rows) {
    int64_t *next = mem_new((size_t)partition->ranks + 1, sizeof *next);
    for (int64_t i = 0; i < samples->n; i++)
        next[partition_owner(partition->samples, partition->ranks, samples->indices[i]) + 1]++;
    for (int r = 0; r < partition->ranks; r++) {
        from_rows[r] = next[r + 1];
        next[r + 1] += next[r];
    }
    for (int64_t i = 0; i < samples->n; i++)
        rows[i] =
            (uint32_t)next[partition_owner(partition->samples, partition->ranks, samples->indices[i])]++;
    mem_free(next);
}

/* The partition with its own copy of the cuts, as the caller's may change. */
static void keep_partition(EpochShard *epoch, const BatchPartition *partition) {
    epoch->partition = *partition;
    if (!partition->cuts) return;
    const size_t n = (size_t)partition->ranks + 1;
    epoch->cuts = mem_new(n, sizeof *epoch->cuts);
    memcpy(epoch->cuts, partition->cuts, n * sizeof *epoch->cuts);
    epoch->partition.cuts = epoch->cuts;
}

static void start_exchange(EpochShard *epoch, const Comm *comm, const ImageSet *shard,
                           const uint32_t *order) {
    const EpochPart part = {&epoch->partition, order, epoch->steps};
    const int rank = comm_rank(comm), ranks = comm_size(comm);
    const int64_t pixels = image_spec_pixels(shard->spec);
    Samples *samples = &epoch->samples;
    int64_t *send_rows = epoch->row_counts = mem_new((size_t)ranks * 2, sizeof *send_rows),
            *from_rows = send_rows + ranks;
    epoch->sent = gather_outgoing(&part, rank, shard, send_rows);
    epoch->indices = list_indices(&part, rank, &samples->n);
    epoch->rows = mem_new((size_t)samples->n, sizeof *epoch->rows);
    epoch->images = mem_new((size_t)samples->n, (size_t)pixels);
    epoch->labels = mem_new((size_t)samples->n, 1);
    *samples = (Samples){samples->n, epoch->images, epoch->labels, epoch->rows, epoch->indices};
    place_incoming(&epoch->partition, samples, epoch->rows, from_rows);
    epoch->exchanges[0] =
        comm_exchange_start(comm, epoch->sent.images, send_rows, epoch->images, from_rows, pixels);
    epoch->exchanges[1] =
        comm_exchange_start(comm, epoch->sent.labels, send_rows, epoch->labels, from_rows, 1);
}

EpochShard epoch_shard_start(const BatchPartition *partition, const Comm *comm, const ImageSet *shard,
                             const uint32_t *order, Range steps) {
    const Samples whole = {partition->samples, shard->images, shard->labels, order, order};
    EpochShard epoch = {
        .steps = steps,
        .samples = samples_slice(&whole, epoch_step_positions(partition, steps.begin).begin,
                                 epoch_rank_samples(partition, steps, 0)),
    };
    keep_partition(&epoch, partition);
    if (partition->ranks > 1 && range_size(steps) > 0) start_exchange(&epoch, comm, shard, order);
    return epoch; /* with one rank all samples are here, and the order says where */
}

void epoch_shard_progress(EpochShard *epoch) {
    for (int i = 0; i < 2; i++)
        comm_exchange_test(epoch->exchanges[i]);
}

void epoch_shard_wait(EpochShard *epoch) {
    for (int i = 0; i < 2; i++)
        comm_exchange_wait(&epoch->exchanges[i]);
    image_set_free(&epoch->sent);
}

void epoch_shard_free(EpochShard *epoch) {
    epoch_shard_wait(epoch);
    mem_free(epoch->images);
    mem_free(epoch->labels);
    mem_free(epoch->rows);
    mem_free(epoch->indices);
    mem_free(epoch->cuts);
    mem_free(epoch->row_counts);
    *epoch = (EpochShard){0};
}
