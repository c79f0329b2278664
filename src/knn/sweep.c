#include "knn/knn.h"

#include "core/mem.h"
#include "core/partition.h"
#include "data/gradient.h"
#include "knn/merge.h"
#include "knn/pruned.h"
#include "knn/refine.h"
#include "store/dataset.h"

/* What distances are measured between instead of the images, or NULL; freed by mem_free. */
static uint8_t *features_of(const KnnMethod *method, const uint8_t *images, int64_t n) {
    if (!method->gradient) return NULL;
    uint8_t *features = mem_copy(images, (size_t)n * IMAGE_PIXELS);
    gradient_features(features, n);
    return features;
}

KnnReference knn_reference_new(const Comm *comm, const uint8_t *images, int64_t total, int columns,
                               const KnnMethod *method) {
    const Range own = partition_range(total, comm_size(comm), comm_rank(comm));
    KnnReference reference = {.total = total, .first = own.begin};
    uint8_t *features = features_of(method, images, range_size(own));
    const uint8_t *rows = features ? features : images;
    reference.rows = pix_rows_new(rows, range_size(own), columns);
    if (method->pruned) reference.index = pruned_index_create(rows, range_size(own), columns);
    mem_free(features);
    if (method->candidates)
        reference.gradients = refine_gradients(&method->distortion, images, range_size(own));
    return reference;
}

void knn_reference_free(KnnReference *reference) {
    pix_rows_free(&reference->rows);
    pruned_index_free(&reference->index);
    mem_free(reference->gradients);
    *reference = (KnnReference){0};
}

int64_t knn_neighbour_count(const KnnMethod *method, int64_t reference_total) {
    int64_t count = smaller(method->k, reference_total);
    return method->candidates ? smaller(count, method->candidates) : count;
}

/* Everything that a sweep works with. */
typedef struct {
    const Comm *comm;
    const KnnReference *reference;
    const KnnMethod *method;
    int threads;
    const uint8_t *images;
    KnnTake take;
    void *context;
} Sweep;

/* A block of queries whose lists are under way. */
typedef struct {
    Range queries;
    ListMerge *merge; /* NULL: no block */
} Block;

/* Queries of a block: neighbours on all ranks take bounded memory (about 64 MiB a rank). */
static int64_t queries_at_a_time(const KnnMethod *method, int ranks) {
    enum { NEIGHBOURS = 1 << 22 };
    const int64_t listed = method->candidates > method->k ? method->candidates : method->k;
    const int64_t queries = NEIGHBOURS / listed;
    const int64_t most = ranks > 1 ? 2048 : 16384; /* with one rank there is nothing to overlap */
    return queries > most ? most : queries > 0 ? queries : 1;
}

static Neighbour *search(const Sweep *sweep, const uint8_t *images, int64_t n, int64_t k,
                         CommExchange *under_way) {
    const KnnReference *reference = sweep->reference;
    const PixRows *rows = &reference->rows;
    Neighbour *lists = mem_new((size_t)(n * smaller(k, rows->rows)), sizeof *lists);
    uint8_t *features = features_of(sweep->method, images, n);
    const uint8_t *seen = features ? features : images;
    if (reference->index) {
        pruned_search(reference->index, reference->first, seen, n, k, sweep->threads, under_way, lists);
    } else {
        PixRows queries = pix_rows_new(seen, n, rows->columns);
        knn_search(rows, reference->first, &queries, k, sweep->threads, under_way, lists);
        pix_rows_free(&queries);
    }
    mem_free(features);
    return lists;
}

/* The last candidate of each query, of those of all ranks: [n] on every rank, freed by the caller. */
static Neighbour *find_furthest(const Sweep *sweep, const Neighbour *lists, int64_t n) {
    const int64_t total = sweep->reference->total, count = smaller(sweep->method->candidates, total);
    const Range share = partition_range(n, comm_size(sweep->comm), comm_rank(sweep->comm));
    const int64_t listed = smaller(sweep->method->candidates, sweep->reference->rows.rows);
    ListMerge *merge = merge_start(sweep->comm, n, total, sweep->method->candidates,
                                   mem_copy(lists, (size_t)(n * listed) * sizeof *lists));
    Neighbour *merged = merge_finish(&merge, sweep->comm);
    Neighbour *furthest = mem_new((size_t)n, sizeof *furthest);
    for (int64_t q = share.begin; q < share.end; q++)
        furthest[q] = merged[(q - share.begin) * count + count - 1];
    comm_share_rows(sweep->comm, furthest, n, sizeof *furthest);
    mem_free(merged);
    return furthest;
}

/* Candidates by Euclidean distance, then their order by distortion. */
static Neighbour *search_distorted(const Sweep *sweep, const uint8_t *images, int64_t n, int64_t k,
                                   CommExchange *under_way) {
    const KnnReference *reference = sweep->reference;
    const int64_t listed = smaller(sweep->method->candidates, reference->rows.rows);
    const int64_t kept = smaller(k, reference->rows.rows);
    Neighbour *candidates = search(sweep, images, n, sweep->method->candidates, under_way);
    Neighbour *furthest = find_furthest(sweep, candidates, n);
    Neighbour *lists = mem_new((size_t)(n * kept), sizeof *lists);
    refine_nearest(reference, sweep->method, images, n, candidates, listed, furthest, kept, sweep->threads,
                   under_way, lists);
    mem_free(furthest);
    mem_free(candidates);
    return lists;
}

/* Searches a block while the lists of another one may be under way. */
static Block start_block(const Sweep *sweep, Range queries, const Block *under_way) {
    const uint8_t *images = sweep->images + queries.begin * sweep->reference->rows.columns;
    const int64_t n = range_size(queries), k = knn_neighbour_count(sweep->method, sweep->reference->total);
    CommExchange *exchange = under_way->merge ? under_way->merge->exchange : NULL;
    Neighbour *lists = sweep->method->candidates ? search_distorted(sweep, images, n, k, exchange)
                                                 : search(sweep, images, n, k, exchange);
    return (Block){queries, merge_start(sweep->comm, n, sweep->reference->total, k, lists)};
}

static void finish_block(const Sweep *sweep, Block *block) {
    if (!block->merge) return;
    const int64_t count = knn_neighbour_count(sweep->method, sweep->reference->total);
    const Range share =
        partition_range(range_size(block->queries), comm_size(sweep->comm), comm_rank(sweep->comm));
    Neighbour *merged = merge_finish(&block->merge, sweep->comm);
    for (int64_t q = 0; q < range_size(share); q++)
        sweep->take(sweep->context, block->queries.begin + share.begin + q, merged + q * count);
    mem_free(merged);
}

void knn_nearest(const Comm *comm, const KnnReference *reference, const KnnMethod *method,
                 const uint8_t *images, int64_t n, int threads, KnnTake take, void *context) {
    const Sweep sweep = {comm, reference, method, threads, images, take, context};
    const int64_t size = queries_at_a_time(method, comm_size(comm));
    Block previous = {0};
    for (int64_t first = 0; first < n; first += size) {
        Block block = start_block(&sweep, (Range){first, smaller(first + size, n)}, &previous);
        finish_block(&sweep, &previous);
        previous = block;
    }
    finish_block(&sweep, &previous);
}
