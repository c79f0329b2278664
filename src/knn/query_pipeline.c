#include "knn/knn.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/partition.h"
#include "data/gradient.h"
#include "knn/cuts.h"
#include "knn/merge.h"
#include "knn/pruned.h"
#include "knn/refine.h"

/* What distances are measured between instead of the images, or NULL; freed by mem_free. */
static uint8_t *features_of(const KnnMethod *method, const uint8_t *images, int64_t n, int threads) {
    if (!method->gradient) return NULL;
    uint8_t *features = mem_copy(images, (size_t)(n * image_spec_pixels(method->spec)));
    gradient_features(method->spec, features, n, threads);
    return features;
}

KnnReference knn_reference_new(const Comm *comm, int64_t *cuts, const uint8_t *images, int columns,
                               const KnnMethod *method, int threads) {
    const Range own = knn_cuts_own(cuts, comm);
    KnnReference reference = {.total = cuts[comm_size(comm)], .first = own.begin, .cuts = cuts};
    if (reference.total > UINT32_MAX)
        fatal("%lld reference images are too many; the index of a neighbour has 32 bits",
              (long long)reference.total);
    uint8_t *features = features_of(method, images, range_size(own), threads);
    const uint8_t *rows = features ? features : images;
    if (method->pruned) {
        reference.rows = (PixRows){.rows = range_size(own), .columns = columns};
        reference.index = pruned_index_create(rows, range_size(own), columns, threads);
        reference.features = features;
    } else {
        reference.rows = pix_rows_new(rows, range_size(own), columns);
        mem_free(features);
    }
    if (method->candidates)
        reference.gradients = refine_gradients(&method->distortion, images, range_size(own), threads);
    return reference;
}

void knn_reference_free(KnnReference *reference) {
    mem_free(reference->cuts);
    pix_rows_free(&reference->rows);
    pruned_index_free(&reference->index);
    mem_free(reference->features);
    mem_free(reference->gradients);
    *reference = (KnnReference){0};
}

int64_t knn_neighbour_count(const KnnMethod *method, int64_t reference_total) {
    int64_t count = smaller(method->k, reference_total);
    return method->candidates ? smaller(count, method->candidates) : count;
}

/* Everything that a query pipeline works with. */
typedef struct {
    const Comm *comm;
    const KnnReference *reference;
    const KnnMethod *method;
    int threads;
    const uint8_t *images;
    KnnTake take;
    void *context;
} QueryPipeline;

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

static Neighbour *search(const QueryPipeline *pipeline, const uint8_t *images, int64_t n, int64_t k,
                         CommExchange *under_way) {
    const KnnReference *reference = pipeline->reference;
    const PixRows *rows = &reference->rows;
    Neighbour *lists = mem_new((size_t)(n * smaller(k, rows->rows)), sizeof *lists);
    uint8_t *features = features_of(pipeline->method, images, n, pipeline->threads);
    const uint8_t *seen = features ? features : images;
    if (reference->index) {
        pruned_search(reference->index, reference->first, seen, n, k, pipeline->threads, under_way, lists);
    } else {
        PixRows queries = pix_rows_new(seen, n, rows->columns);
        knn_search(rows, reference->first, &queries, k, pipeline->threads, under_way, lists);
        pix_rows_free(&queries);
    }
    mem_free(features);
    return lists;
}

/* The last candidate of each query, of those of all ranks: [n] on every rank, freed by the caller. */
static Neighbour *find_furthest(const QueryPipeline *pipeline, const Neighbour *lists, int64_t n) {
    const int64_t total = pipeline->reference->total, count = smaller(pipeline->method->candidates, total);
    const Range share = partition_range(n, comm_size(pipeline->comm), comm_rank(pipeline->comm));
    const int64_t listed = smaller(pipeline->method->candidates, pipeline->reference->rows.rows);
    ListMerge *merge = merge_start(pipeline->comm, n, pipeline->reference->cuts, pipeline->method->candidates,
                                   mem_copy(lists, (size_t)(n * listed) * sizeof *lists));
    Neighbour *merged = merge_finish(&merge, pipeline->comm);
    Neighbour *furthest = mem_new((size_t)n, sizeof *furthest);
    for (int64_t q = share.begin; q < share.end; q++)
        furthest[q] = merged[(q - share.begin) * count + count - 1];
    comm_share_rows(pipeline->comm, furthest, n, sizeof *furthest);
    mem_free(merged);
    return furthest;
}

/* Candidates by Euclidean distance, then their order by distortion. */
static Neighbour *search_distorted(const QueryPipeline *pipeline, const uint8_t *images, int64_t n, int64_t k,
                                   CommExchange *under_way) {
    const KnnReference *reference = pipeline->reference;
    const int64_t listed = smaller(pipeline->method->candidates, reference->rows.rows);
    const int64_t kept = smaller(k, reference->rows.rows);
    Neighbour *candidates = search(pipeline, images, n, pipeline->method->candidates, under_way);
    Neighbour *furthest = find_furthest(pipeline, candidates, n);
    Neighbour *lists = mem_new((size_t)(n * kept), sizeof *lists);
    refine_nearest(reference, pipeline->method, images, n, candidates, listed, furthest, kept,
                   pipeline->threads, under_way, lists);
    mem_free(furthest);
    mem_free(candidates);
    return lists;
}

/* Searches a block while the lists of another one may be under way. */
static Block start_block(const QueryPipeline *pipeline, Range queries, const Block *under_way) {
    const uint8_t *images = pipeline->images + queries.begin * pipeline->reference->rows.columns;
    const int64_t n = range_size(queries),
                  k = knn_neighbour_count(pipeline->method, pipeline->reference->total);
    CommExchange *exchange = under_way->merge ? under_way->merge->exchange : NULL;
    Neighbour *lists = pipeline->method->candidates ? search_distorted(pipeline, images, n, k, exchange)
                                                    : search(pipeline, images, n, k, exchange);
    return (Block){queries, merge_start(pipeline->comm, n, pipeline->reference->cuts, k, lists)};
}

static void finish_block(const QueryPipeline *pipeline, Block *block) {
    if (!block->merge) return;
    const int64_t count = knn_neighbour_count(pipeline->method, pipeline->reference->total);
    const Range share =
        partition_range(range_size(block->queries), comm_size(pipeline->comm), comm_rank(pipeline->comm));
    Neighbour *merged = merge_finish(&block->merge, pipeline->comm);
    for (int64_t q = 0; q < range_size(share); q++)
        pipeline->take(pipeline->context, block->queries.begin + share.begin + q, merged + q * count);
    mem_free(merged);
}

void knn_nearest(const Comm *comm, const KnnReference *reference, const KnnMethod *method,
                 const uint8_t *images, int64_t n, int threads, KnnTake take, void *context) {
    const QueryPipeline pipeline = {comm, reference, method, threads, images, take, context};
    const int64_t size = queries_at_a_time(method, comm_size(comm));
    Block previous = {0};
    for (int64_t first = 0; first < n; first += size) {
        Block block = start_block(&pipeline, (Range){first, smaller(first + size, n)}, &previous);
        finish_block(&pipeline, &previous);
        previous = block;
    }
    finish_block(&pipeline, &previous);
}
