#include "pardigits/knn.h"

#include "pardigits/mem.h"
#include "pardigits/status.h"

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

/* The best so far of one query: a heap with the furthest neighbour on top. */
typedef struct {
    Neighbour *items; /* [k] */
    int64_t count;
} Nearest;

static bool is_nearer(Neighbour a, Neighbour b) {
    return a.distance < b.distance || (a.distance == b.distance && a.index < b.index);
}

/* Puts item into the heap items[0..count) from the place `at` downwards. */
static void sift_down(Neighbour *items, int64_t count, int64_t at, Neighbour item) {
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_nearer(items[child], items[child + 1])) child++;
        if (!is_nearer(item, items[child])) break;
        items[at] = items[child];
    }
    items[at] = item;
}

static void sift_up(Neighbour *items, int64_t at, Neighbour item) {
    for (int64_t parent; at > 0 && is_nearer(items[parent = (at - 1) / 2], item); at = parent)
        items[at] = items[parent];
    items[at] = item;
}

/* From a heap to nearest first. */
static void sort_nearest(Nearest *nearest) {
    for (int64_t last = nearest->count - 1; last > 0; last--) {
        Neighbour furthest = nearest->items[0];
        sift_down(nearest->items, last, 0, nearest->items[last]);
        nearest->items[last] = furthest;
    }
}

/* Distances below this can still enter. Rows come in order of index, so a tie with the furthest can't. */
static uint32_t entry_limit(const Nearest *nearest, int64_t k) {
    return nearest->count < k ? UINT32_MAX : nearest->items[0].distance;
}

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
                          int64_t first_index, int64_t k, Nearest *nearest) {
    uint32_t distances[SCAN_BLOCK], limit = entry_limit(nearest, k);
    for (int64_t at = 0; at < count; at += SCAN_BLOCK) {
        int size = count - at < SCAN_BLOCK ? (int)(count - at) : SCAN_BLOCK;
        if (!any_below(products + at, norms + at, query_norm, size, limit, distances)) continue;
        for (int c = 0; c < size; c++) {
            if (distances[c] >= limit) continue;
            Neighbour neighbour = {distances[c], (uint32_t)(first_index + at + c)};
            if (nearest->count < k)
                sift_up(nearest->items, nearest->count++, neighbour);
            else
                sift_down(nearest->items, k, 0, neighbour);
            limit = entry_limit(nearest, k);
        }
    }
}

/* One block of queries against one block of reference rows. */
static void search_block(const PixRows *reference, Range rows, int64_t first_index, const PixRows *queries,
                         Range block, int64_t k, int32_t *products, Nearest *nearest) {
    pixdot_block(queries, block.begin, range_size(block), reference, rows.begin, range_size(rows), products,
                 PRODUCT_STRIDE);
    for (int64_t q = block.begin; q < block.end; q++)
        scan_products(products + (q - block.begin) * PRODUCT_STRIDE, reference->norms + rows.begin,
                      (uint32_t)queries->norms[q], range_size(rows), first_index + rows.begin, k,
                      &nearest[q]);
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void search_group(const PixRows *reference, int64_t first_index, const PixRows *queries, Range group,
                         int64_t k, int32_t *products, Nearest *nearest) {
    for (int64_t r = 0; r < reference->rows; r += REFERENCE_BLOCK)
        for (int64_t q = group.begin; q < group.end; q += QUERY_BLOCK)
            search_block(reference, (Range){r, smaller(r + REFERENCE_BLOCK, reference->rows)}, first_index,
                         queries, (Range){q, smaller(q + QUERY_BLOCK, group.end)}, k, products, nearest);
    for (int64_t q = group.begin; q < group.end; q++)
        sort_nearest(&nearest[q]);
}

static int64_t divide_up(int64_t value, int64_t divisor) {
    return (value + divisor - 1) / divisor;
}

/* Queries of a group: whole blocks, and as many groups as keep all threads equally busy. */
static int64_t choose_group_size(int64_t queries, int threads) {
    int64_t blocks = divide_up(queries, QUERY_BLOCK);
    int64_t groups = divide_up(divide_up(blocks, GROUP_BLOCKS_MAX), threads) * threads;
    return divide_up(blocks, groups) * QUERY_BLOCK;
}

void knn_search(const PixRows *reference, int64_t first_index, const PixRows *queries, int64_t k, int threads,
                Neighbour *out) {
    if (first_index + reference->rows > UINT32_MAX)
        fatal("%lld reference images are too many; the index of a neighbour has 32 bits",
              (long long)(first_index + reference->rows));
    int64_t kept = smaller(k, reference->rows);
    if (kept == 0 || queries->rows == 0) return;
    int64_t group_size = choose_group_size(queries->rows, threads);
    Nearest *nearest = mem_new((size_t)queries->rows, sizeof *nearest);
    for (int64_t q = 0; q < queries->rows; q++)
        nearest[q].items = out + q * kept;
#pragma omp parallel num_threads(threads)
    {
        int32_t *products = mem_new(QUERY_BLOCK * PRODUCT_STRIDE, sizeof *products);
#pragma omp for schedule(dynamic)
        for (int64_t q = 0; q < queries->rows; q += group_size)
            search_group(reference, first_index, queries, (Range){q, smaller(q + group_size, queries->rows)},
                         kept, products, nearest);
        mem_free(products);
    }
    mem_free(nearest);
}
