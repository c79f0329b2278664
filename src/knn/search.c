#include "knn/knn.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/partition.h"
#include "knn/top_k.h"

#include <omp.h>
#include <stdbool.h>

/* A block of reference rows and a block of products stay in the second-level cache, and the reference rows
 * pass through it once for each group of queries. */
enum {
    REFERENCE_BLOCK = 512,
    QUERY_BLOCK = 96,
    GROUP_BLOCKS_MAX = 10,
    PRODUCT_STRIDE = REFERENCE_BLOCK + 16, /* rows a power of two apart would share a few sets of the cache */
    SCAN_BLOCK = 64,
};

/* distances[c] = |a|^2 + |b|^2 - 2 a.b modulo 2^32, which is exact; whether any is below the limit. */
static bool any_below(const int32_t *products, const int32_t *norms, uint32_t query_norm, int count,
                      uint32_t limit, uint32_t *distances) {
    uint32_t below = 0;
    for (int c = 0; c < count; c++) {
        distances[c] = query_norm + (uint32_t)norms[c] - 2 * (uint32_t)products[c];
        below |= distances[c] < limit;
    }
    return below;
}

/* Lets one query see its products with `count` consecutive reference rows. */
static void scan_products(const int32_t *products, const int32_t *norms, uint32_t query_norm, int64_t count,
                          int64_t first_index, int64_t k, TopK *nearest) {
    uint32_t distances[SCAN_BLOCK];
    for (int64_t at = 0; at < count; at += SCAN_BLOCK) {
        int size = count - at < SCAN_BLOCK ? (int)(count - at) : SCAN_BLOCK;
        if (!any_below(products + at, norms + at, query_norm, size, nearest->limit, distances)) continue;
        for (int c = 0; c < size; c++)
            if (distances[c] < nearest->limit)
                top_k_push(nearest, k, (Neighbour){distances[c], (uint32_t)(first_index + at + c)});
    }
}

/* One block of queries against one block of reference rows. */
static void search_block(const PixRows *reference, Range rows, int64_t first_index, const PixRows *queries,
                         Range block, int64_t k, int32_t *products, TopK *nearest) {
    pixdot_block(queries, block.begin, range_size(block), reference, rows.begin, range_size(rows), products,
                 PRODUCT_STRIDE);
    for (int64_t q = block.begin; q < block.end; q++)
        scan_products(products + (q - block.begin) * PRODUCT_STRIDE, reference->norms + rows.begin,
                      (uint32_t)queries->norms[q], range_size(rows), first_index + rows.begin, k,
                      &nearest[q - block.begin]);
}

/* One thread's memory. */
typedef struct {
    int32_t *products; /* [QUERY_BLOCK][PRODUCT_STRIDE] */
    TopK *nearest;     /* [queries of a group] */
    uint64_t *keys;    /* [queries of a group][k + slack] */
} Work;

static void search_group(const PixRows *reference, int64_t first_index, const PixRows *queries, Range group,
                         int64_t k, const Work *work, Neighbour *out) {
    TopK *nearest = work->nearest;
    for (int64_t q = 0; q < range_size(group); q++)
        top_k_begin(&nearest[q], work->keys + q * (k + top_k_slack(k)));
    for (int64_t r = 0; r < reference->rows; r += REFERENCE_BLOCK)
        for (int64_t q = group.begin; q < group.end; q += QUERY_BLOCK)
            search_block(reference, (Range){r, smaller(r + REFERENCE_BLOCK, reference->rows)}, first_index,
                         queries, (Range){q, smaller(q + QUERY_BLOCK, group.end)}, k, work->products,
                         nearest + (q - group.begin));
    for (int64_t q = group.begin; q < group.end; q++)
        top_k_end(&nearest[q - group.begin], k, out + q * k);
}

/* Queries of a group: whole blocks, as many groups as keep all threads equally busy, and fewer for a large k,
 * for keys to stay in the cache. */
static int64_t choose_group_size(int64_t queries, int64_t k, int threads) {
    int64_t blocks = divide_up(queries, QUERY_BLOCK), most = k > 100 ? 1 : GROUP_BLOCKS_MAX;
    int64_t groups = divide_up(divide_up(blocks, most), threads) * threads;
    return divide_up(blocks, groups) * QUERY_BLOCK;
}

void knn_search(const PixRows *reference, int64_t first_index, const PixRows *queries, int64_t k, int threads,
                CommExchange *under_way, Neighbour *out) {
    int64_t kept = smaller(k, reference->rows);
    if (kept == 0 || queries->rows == 0) return;
    int64_t group_size = choose_group_size(queries->rows, kept, threads);
#pragma omp parallel num_threads(threads)
    {
        Work work = {mem_new(QUERY_BLOCK * PRODUCT_STRIDE, sizeof *work.products),
                     mem_new((size_t)group_size, sizeof *work.nearest),
                     mem_new((size_t)(group_size * (kept + top_k_slack(kept))), sizeof *work.keys)};
#pragma omp for schedule(dynamic)
        for (int64_t q = 0; q < queries->rows; q += group_size) {
            search_group(reference, first_index, queries, (Range){q, smaller(q + group_size, queries->rows)},
                         kept, &work, out);
            if (under_way && omp_get_thread_num() == 0) comm_exchange_test(under_way);
        }
        mem_free(work.keys);
        mem_free(work.nearest);
        mem_free(work.products);
    }
}
