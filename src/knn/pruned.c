/* Why the result is that of comparing everything.
 *
 * Let A be the matrix of the axes (m rows of whole numbers) and B >= |A|^2, the square of its norm as a
 * linear map (principal_norm_bound, exact). Then I - A'A / B is positive semidefinite; let C be its square
 * root. For rows u and v of pixels and w = u - v
 *
 *     |w|^2 = |A w|^2 / B + |C w|^2 >= |A u - A v|^2 / B + (|C u| - |C v|)^2,
 *
 * where |C u|^2 = |u|^2 - |A u|^2 / B. So the map x(u) = (A u / sqrt(B), |C u|) of pixels to m + 1
 * coordinates brings no two rows further apart, whatever the axes are. A u is computed exactly, in 32-bit
 * integers: an axis has at most PRINCIPAL_UNIT times its columns' root, times 255, in sum.
 *
 * Coordinates are kept as whole numbers y = floor(x / step), cut to the range of their type; that cut brings
 * nothing further apart either. Two of them differ by less than |x(u) - x(v)| / step + 1 + r each, r being
 * what rounding in double precision adds: coordinates are below 2^14 (255 times the root of
 * PRUNED_MAX_COLUMNS) and computed with a relative error below 2^-40, so r < 2^-20. By the triangle
 * inequality in m + 1 dimensions
 *
 *     |y(u) - y(v)| <= |u - v| / step + (1 + r) sqrt(m + 1).
 *
 * A row whose |y(u) - y(v)|^2, an exact integer, is above the square of the right side for the k-th smallest
 * distance so far can't be nearer than that, and is passed over. This is asked twice: of bytes of the leading
 * coordinates (step 12), which is a short integer product in blocks, and of 16-bit numbers of all of them
 * (step 1). What passes both gets its exact distance. Rows come in order of index, so one at equal distance
 * isn't among the nearest either. */
#include "knn/pruned.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/partition.h"
#include "core/status.h"
#include "knn/principal.h"
#include "knn/top_k.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    COARSE_AXES = 31,
    COARSE = COARSE_AXES + 1, /* coordinates */
    FINE_AXES = 95,
    FINE = FINE_AXES + 1,
    REFERENCE_BLOCK = 512,
    QUERY_BLOCK = 96,
    GROUP = 8 * QUERY_BLOCK,
    PRODUCT_STRIDE = REFERENCE_BLOCK + 16, /* rows a power of two apart would share a few sets of the cache */
    PIECE = 128,
    FIRST_PIECE = 16, /* as long as there is no limit, and so every row is compared */
    SCAN_BLOCK = 32,
};
_Static_assert(255 * 64 <= INT16_MAX / 2 && PRUNED_MAX_COLUMNS <= 64 * 64,
               "coordinates and their differences fit 16 bits");
static const double coarse_step = 12, fine_step = 1; /* of a coordinate, in pixels' units */

/* y of some rows. */
typedef struct {
    PixRows coarse; /* [rows][COARSE] */
    int16_t *fine;  /* [rows][FINE] */
} Points;

struct KnnIndex {
    int64_t rows;
    int columns;
    int16_t *axes;                   /* [FINE_AXES][columns], zeros beyond the columns' number */
    double coarse_bound, fine_bound; /* B of the leading axes and of all */
    const uint8_t *pixels;           /* [rows][columns] of the caller */
    Points points;
};

static double cut(double value, double least, double most) {
    return value < least ? least : value > most ? most : value;
}

/* Coordinates of axes have both signs; lengths don't, so theirs begin at the lower end. */
static uint8_t as_byte(double coordinate, double origin) {
    return (uint8_t)cut(floor(coordinate / coarse_step + origin), 0, 255);
}

static int16_t as_short(double coordinate) {
    return (int16_t)cut(floor(coordinate / fine_step), INT16_MIN, INT16_MAX);
}

static int32_t product(const int16_t *restrict axis, const uint8_t *restrict pixels, int columns) {
    int32_t sum = 0;
    for (int c = 0; c < columns; c++)
        sum += axis[c] * (int16_t)pixels[c];
    return sum;
}

static void map_row(const KnnIndex *index, const uint8_t *pixels, uint8_t *coarse, int16_t *fine) {
    double length = 0, products[FINE_AXES], inside = 0;
    for (int c = 0; c < index->columns; c++)
        length += pixels[c] * pixels[c];
    for (int a = 0; a < FINE_AXES; a++)
        products[a] = product(index->axes + (int64_t)a * index->columns, pixels, index->columns);
    for (int a = 0; a < COARSE_AXES; a++) {
        coarse[a] = as_byte(products[a] / sqrt(index->coarse_bound), 128);
        inside += products[a] * products[a];
    }
    coarse[COARSE_AXES] = as_byte(sqrt(fmax(0, length - inside / index->coarse_bound)), 0);
    for (int a = COARSE_AXES; a < FINE_AXES; a++)
        inside += products[a] * products[a];
    for (int a = 0; a < FINE_AXES; a++)
        fine[a] = as_short(products[a] / sqrt(index->fine_bound));
    fine[FINE_AXES] = as_short(sqrt(fmax(0, length - inside / index->fine_bound)));
}

static Points map_rows(const KnnIndex *index, const uint8_t *pixels, int64_t n, int threads) {
    Points points = {.fine = mem_new((size_t)(n * FINE), sizeof *points.fine)};
    uint8_t *coarse = mem_new((size_t)n, COARSE);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < n; i++)
        map_row(index, pixels + i * index->columns, coarse + i * COARSE, points.fine + i * FINE);
    points.coarse = pix_rows_new(coarse, n, COARSE);
    mem_free(coarse);
    return points;
}

static void points_free(Points *points) {
    pix_rows_free(&points->coarse);
    mem_free(points->fine);
}

bool knn_pruning_pays(int64_t rows, int columns, int64_t k) {
    /* products of whole rows are as quick as those of a few coordinates on the units that are made for them
     */
    const bool quick = strstr(pixdot_kernel_name(), "amx") != NULL;
    return !quick && rows >= 4096 && columns >= 256 && columns <= PRUNED_MAX_COLUMNS && k <= 50;
}

KnnIndex *pruned_index_create(const uint8_t *pixels, int64_t rows, int columns, int threads) {
    if (columns > PRUNED_MAX_COLUMNS)
        fatal("an index of rows of %d pixels isn't possible; %d is the most", columns, PRUNED_MAX_COLUMNS);
    KnnIndex *index = mem_new(1, sizeof *index);
    index->rows = rows;
    index->columns = columns;
    index->axes = mem_new((size_t)(FINE_AXES * columns), sizeof *index->axes);
    if (rows > 0)
        principal_axes(pixels, rows, columns, columns < FINE_AXES ? columns : FINE_AXES, threads,
                       index->axes);
    index->coarse_bound = (double)principal_norm_bound(index->axes, COARSE_AXES, columns);
    index->fine_bound = (double)principal_norm_bound(index->axes, FINE_AXES, columns);
    index->pixels = pixels;
    index->points = map_rows(index, pixels, rows, threads);
    return index;
}

void pruned_index_free(KnnIndex **index) {
    if (!*index) return;
    points_free(&(*index)->points);
    mem_free((*index)->axes);
    mem_free(*index);
    *index = NULL;
}

static uint32_t square_distance(const uint8_t *restrict a, const uint8_t *restrict b, int columns) {
    int32_t sum = 0;
    for (int c = 0; c < columns; c++) {
        const int16_t difference = (int16_t)(a[c] - b[c]);
        sum += difference * difference;
    }
    return (uint32_t)sum;
}

static uint32_t fine_distance(const int16_t *restrict a, const int16_t *restrict b) {
    int32_t sum = 0;
    for (int c = 0; c < FINE; c++) {
        const int16_t difference = (int16_t)(a[c] - b[c]);
        sum += difference * difference;
    }
    return (uint32_t)sum;
}

/* The largest |y(u) - y(v)|^2 with which a row can be nearer than the limit. */
static uint32_t point_limit(uint32_t limit, double step, int coordinates) {
    const double reach = sqrt(limit) / step + 1.000001 * sqrt(coordinates);
    return limit == UINT32_MAX ? UINT32_MAX : (uint32_t)(reach * reach) + 1;
}

/* One query under way. */
typedef struct {
    const uint8_t *pixels;
    const int16_t *fine;
    TopK nearest;
    uint32_t coarse_limit, fine_limit;
} Query;

/* distances[c] = |y(u) - y(v)|^2; whether any is up to the limit. */
static bool any_within(const int32_t *products, const int32_t *norms, uint32_t query_norm, int count,
                       uint32_t limit, uint32_t *distances) {
    uint32_t within = 0;
    for (int c = 0; c < count; c++) {
        distances[c] = query_norm + (uint32_t)norms[c] - 2 * (uint32_t)products[c];
        within |= distances[c] <= limit;
    }
    return within;
}

/* Lists in `near` the rows whose coarse coordinates are near; returns their number. */
static int list_coarse(const KnnIndex *index, Range rows, const int32_t *products, uint32_t query_norm,
                       uint32_t limit, int32_t *near) {
    const int32_t *norms = index->points.coarse.norms + rows.begin;
    uint32_t distances[SCAN_BLOCK];
    int listed = 0;
    for (int first = 0; first < range_size(rows); first += SCAN_BLOCK) {
        const int count = range_size(rows) - first < SCAN_BLOCK ? (int)range_size(rows) - first : SCAN_BLOCK;
        if (!any_within(products + first, norms + first, query_norm, count, limit, distances)) continue;
        for (int c = 0; c < count; c++) {
            near[listed] = (int32_t)(first + c);
            listed += distances[c] <= limit;
        }
    }
    return listed;
}

/* Keeps those whose fine coordinates are near, and asks for their pixels, which take their time to come. */
static int keep_fine(const KnnIndex *index, int64_t first_row, const Query *query, int listed,
                     int32_t *near) {
    int kept = 0;
    for (int i = 0; i < listed; i++)
        __builtin_prefetch(index->points.fine + (first_row + near[i]) * FINE);
    for (int i = 0; i < listed; i++) {
        const int64_t row = first_row + near[i];
        if (fine_distance(query->fine, index->points.fine + row * FINE) > query->fine_limit) continue;
        for (int c = 0; c < index->columns; c += MEM_ALIGNMENT)
            __builtin_prefetch(index->pixels + row * index->columns + c);
        near[kept++] = near[i];
    }
    return kept;
}

static void take_row(const KnnIndex *index, int64_t first_index, int64_t row, int64_t k, Query *query) {
    const uint32_t distance =
        square_distance(query->pixels, index->pixels + row * index->columns, index->columns);
    if (distance >= query->nearest.limit) return;
    top_k_push(&query->nearest, k, (Neighbour){distance, (uint32_t)(first_index + row)});
    top_k_shrink(&query->nearest, k);
    query->coarse_limit = point_limit(query->nearest.limit, coarse_step, COARSE);
    query->fine_limit = point_limit(query->nearest.limit, fine_step, FINE);
}

/* One query and a block of rows, from the products of their coarse coordinates. In pieces, because the limits
 * fall. */
static void scan_block(const KnnIndex *index, int64_t first_index, Range rows, const int32_t *products,
                       uint32_t query_norm, int64_t k, Query *query) {
    int32_t near[PIECE + 1];
    for (Range piece = {rows.begin, rows.begin}; piece.begin < rows.end; piece.begin = piece.end) {
        const int64_t size = query->coarse_limit == UINT32_MAX ? FIRST_PIECE : PIECE;
        piece.end = piece.begin + size < rows.end ? piece.begin + size : rows.end;
        int listed = list_coarse(index, piece, products + (piece.begin - rows.begin), query_norm,
                                 query->coarse_limit, near);
        listed = keep_fine(index, piece.begin, query, listed, near);
        for (int i = 0; i < listed; i++)
            take_row(index, first_index, piece.begin + near[i], k, query);
    }
}

/* One thread's memory. */
typedef struct {
    int32_t *products; /* [QUERY_BLOCK][PRODUCT_STRIDE] */
    Query *queries;    /* [GROUP] */
    uint64_t *keys;    /* [GROUP][k + slack] */
} Work;

/* Everything that a search works with. */
typedef struct {
    const KnnIndex *index;
    int64_t first_index, k;
    const uint8_t *pixels; /* [n][columns] of the queries */
    Points points;
    Neighbour *out;
} Search;

static void search_block(const Search *search, Range rows, Range block, const Work *work, Query *queries) {
    const PixRows *coarse = &search->points.coarse;
    pixdot_block(coarse, block.begin, range_size(block), &search->index->points.coarse, rows.begin,
                 range_size(rows), work->products, PRODUCT_STRIDE);
    for (int64_t q = 0; q < range_size(block); q++)
        scan_block(search->index, search->first_index, rows, work->products + q * PRODUCT_STRIDE,
                   (uint32_t)coarse->norms[block.begin + q], search->k, &queries[q]);
}

/* A group of queries for which rows come from memory once. */
static void search_group(const Search *search, Range group, const Work *work) {
    const KnnIndex *index = search->index;
    const int64_t k = search->k;
    for (int64_t q = 0; q < range_size(group); q++) {
        const int64_t at = group.begin + q;
        work->queries[q] = (Query){.pixels = search->pixels + at * index->columns,
                                   .fine = search->points.fine + at * FINE,
                                   .coarse_limit = UINT32_MAX,
                                   .fine_limit = UINT32_MAX};
        top_k_begin(&work->queries[q].nearest, work->keys + q * (k + top_k_slack(k)));
    }
    for (int64_t row = 0; row < index->rows; row += REFERENCE_BLOCK)
        for (int64_t q = group.begin; q < group.end; q += QUERY_BLOCK)
            search_block(search, (Range){row, smaller(row + REFERENCE_BLOCK, index->rows)},
                         (Range){q, smaller(q + QUERY_BLOCK, group.end)}, work,
                         work->queries + (q - group.begin));
    for (int64_t q = group.begin; q < group.end; q++)
        top_k_end(&work->queries[q - group.begin].nearest, k, search->out + q * k);
}

void pruned_search(const KnnIndex *index, int64_t first_index, const uint8_t *queries, int64_t n, int64_t k,
                   int threads, CommExchange *under_way, Neighbour *out) {
    const int64_t kept = smaller(k, index->rows);
    if (kept == 0 || n == 0) return;
    Search search = {index, first_index, kept, queries, map_rows(index, queries, n, threads), out};
#pragma omp parallel num_threads(threads)
    {
        Work work = {mem_new(QUERY_BLOCK * PRODUCT_STRIDE, sizeof *work.products),
                     mem_new(GROUP, sizeof *work.queries),
                     mem_new((size_t)(GROUP * (kept + top_k_slack(kept))), sizeof *work.keys)};
#pragma omp for schedule(dynamic)
        for (int64_t q = 0; q < n; q += GROUP) {
            search_group(&search, (Range){q, smaller(q + GROUP, n)}, &work);
            if (under_way && omp_get_thread_num() == 0) comm_exchange_test(under_way);
        }
        mem_free(work.keys);
        mem_free(work.queries);
        mem_free(work.products);
    }
    points_free(&search.points);
}
