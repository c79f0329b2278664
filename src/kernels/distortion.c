#include "kernels/distortion.h"

#include "core/mem.h"

#include <stdalign.h>
#include <stdbool.h>
#include <string.h>

/* Rows are padded on all sides with zeros as far as displacements and contexts lead, and handled as whole
 * vectors: LANES columns, from column -DISTORTION_MAX_CONTEXT on. */
enum {
    PAD = DISTORTION_MAX_WARP + DISTORTION_MAX_CONTEXT,
    LANES = 32,
    FIRST_LANE = DISTORTION_MAX_CONTEXT, /* where column 0 is */
    PADDED_ROWS = IMAGE_SIDE + 2 * PAD,
    PADDED_STRIDE = 48,
    MOST_DISPLACEMENTS = (2 * DISTORTION_MAX_WARP + 1) * (2 * DISTORTION_MAX_WARP + 1),
    MOST_CONTEXT_ROWS = 2 * DISTORTION_MAX_CONTEXT + 1,
    SOBEL_MOST = 4 * 255,
};

/* Rows fill the widest vectors there are, which gcc otherwise shuns. */
#if defined(__AVX512BW__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target("prefer-vector-width=512")))
#else
#define WIDE
#endif
#define ALWAYS_INLINE WIDE __attribute__((always_inline))

typedef struct {
    int16_t along[DISTORTION_MAX_DIRECTIONS][PADDED_ROWS][PADDED_STRIDE];
} Padded;

/* 16-bit sums over a context, of one row; with room for the columns beside it. */
typedef struct {
    alignas(MEM_ALIGNMENT) uint16_t sums[LANES + 2 * MEM_ALIGNMENT / sizeof(uint16_t)];
} ContextRow;

struct DistortionQuery {
    Distortion distortion;
    Gradients gradients;
    Padded query, reference;
    /* [displacement][row modulo the context's rows][lane]: squared differences of gradients */
    alignas(MEM_ALIGNMENT) uint16_t squares[MOST_DISPLACEMENTS][MOST_CONTEXT_ROWS][LANES];
    ContextRow rows[MOST_DISPLACEMENTS];
};

/* The largest gradient m. Sobel's gradients s of one pixel add up, without their signs, to 1530 at most in
 * two directions and to 3060 in four. Rounded, their roots' squares add up to
 *
 *     sum (m sqrt(s / 1020) + 1/2)^2 <= S = 1.5 m^2 + 1.74 m + 1/2 or 3 m^2 + 3.47 m + 1,
 *
 * and as the gradients of two pixels are apart by twice that length at most, the sum over a context is at
 * most (2 context + 1)^2 * 4 S, which these values keep below 2^16. */
static int gradient_most(const Distortion *distortion) {
    const bool wide = distortion->context == 2;
    return distortion->directions == 2 ? (wide ? 20 : 32) : (wide ? 14 : 24);
}

/* The nearest whole number to most * sqrt(sobel / SOBEL_MOST), with its sign. */
static int8_t signed_root(int sobel, int most) {
    int size = sobel < 0 ? -sobel : sobel, root = 0;
    /* root + 1/2 <= most * sqrt(size / SOBEL_MOST), squared and times 4 SOBEL_MOST */
    while ((2 * root + 1) * (2 * root + 1) * SOBEL_MOST <= 4 * most * most * size)
        root++;
    return (int8_t)(sobel < 0 ? -root : root);
}

/* The four gradients around a pixel. */
static void sobel(const int *above, const int *here, const int *below, int *along) {
    along[0] = above[1] + 2 * here[1] + below[1] - above[-1] - 2 * here[-1] - below[-1];
    along[1] = below[-1] + 2 * below[0] + below[1] - above[-1] - 2 * above[0] - above[1];
    along[2] = here[1] + 2 * below[1] + below[0] - above[0] - 2 * above[-1] - here[-1];
    along[3] = above[0] + 2 * above[1] + here[1] - here[-1] - 2 * below[-1] - below[0];
}

void distortion_gradients(const Distortion *distortion, const uint8_t *image, Gradients *gradients) {
    int pixels[IMAGE_SIDE + 2][IMAGE_SIDE + 2] = {{0}}, along[DISTORTION_MAX_DIRECTIONS];
    const int most = gradient_most(distortion);
    memset(gradients, 0, sizeof *gradients);
    for (int i = 0; i < IMAGE_PIXELS; i++)
        pixels[1 + i / IMAGE_SIDE][1 + i % IMAGE_SIDE] = image[i];
    for (int row = 0; row < IMAGE_SIDE; row++)
        for (int column = 0; column < IMAGE_SIDE; column++) {
            sobel(&pixels[row][column + 1], &pixels[row + 1][column + 1], &pixels[row + 2][column + 1],
                  along);
            for (int d = 0; d < distortion->directions; d++) {
                gradients->along[d][row][column] = signed_root(along[d], most);
                if (!gradients->along[d][row][column]) continue;
                if (!gradients->end_row) gradients->first_row = row;
                gradients->end_row = row + 1;
            }
        }
}

static void spread(const Gradients *gradients, int directions, Padded *padded) {
    for (int d = 0; d < directions; d++)
        for (int row = 0; row < IMAGE_SIDE; row++)
            for (int column = 0; column < GRADIENT_STRIDE; column++)
                padded->along[d][PAD + row][PAD + column] = (int16_t)gradients->along[d][row][column];
}

DistortionQuery *distortion_query_create(const Distortion *distortion) {
    DistortionQuery *query = mem_new(1, sizeof *query);
    query->distortion = *distortion;
    return query;
}

void distortion_query_destroy(DistortionQuery **query) {
    mem_free(*query);
    *query = NULL;
}

void distortion_query_set(DistortionQuery *query, const Gradients *gradients) {
    query->gradients = *gradients;
    spread(gradients, query->distortion.directions, &query->query);
}

/* The squared differences of one padded row for one displacement. */
WIDE static inline void subtract_row(const Padded *query, const Padded *reference, int directions, int row,
                                     int down, int right, uint16_t *restrict squares) {
    enum { FROM = PAD - FIRST_LANE };
    uint16_t sums[LANES] = {0};
    for (int d = 0; d < directions; d++) {
        const int16_t *a = query->along[d][row] + FROM, *b = reference->along[d][row + down] + FROM + right;
        for (int lane = 0; lane < LANES; lane++) {
            const int16_t difference = (int16_t)(a[lane] - b[lane]);
            sums[lane] = (uint16_t)(sums[lane] + (uint16_t)(difference * difference));
        }
    }
    memcpy(squares, sums, sizeof sums);
}

/* The squares of padded row `row` for all displacements. */
WIDE static inline void subtract_rows(DistortionQuery *work, int warp, int context, int directions, int row) {
    int displacement = 0, slot = row % (2 * context + 1);
    for (int down = -warp; down <= warp; down++)
        for (int right = -warp; right <= warp; right++)
            subtract_row(&work->query, &work->reference, directions, row, down, right,
                         work->squares[displacement++][slot]);
}

WIDE static inline void add_context_rows(DistortionQuery *work, int displacements, int context) {
    for (int d = 0; d < displacements; d++) {
        uint16_t *restrict sums = work->rows[d].sums + LANES;
        for (int lane = 0; lane < LANES; lane++) {
            uint16_t sum = work->squares[d][0][lane];
            for (int row = 1; row <= 2 * context; row++)
                sum = (uint16_t)(sum + work->squares[d][row][lane]);
            sums[lane] = sum;
        }
    }
}

/* The cost of a row of pixels, from the sums of their contexts' rows. */
WIDE static inline uint32_t row_cost(const DistortionQuery *work, int displacements, int context) {
    uint16_t least[LANES];
    memset(least, 0xff, sizeof least);
    for (int d = 0; d < displacements; d++) {
        const uint16_t *sums = work->rows[d].sums + LANES;
        for (int lane = 0; lane < LANES; lane++) {
            uint16_t sum = sums[lane - context];
            for (int column = 1 - context; column <= context; column++)
                sum = (uint16_t)(sum + sums[lane + column]);
            least[lane] = sum < least[lane] ? sum : least[lane];
        }
    }
    uint32_t cost = 0;
    for (int lane = 0; lane < IMAGE_SIDE; lane++)
        cost += least[FIRST_LANE + lane];
    return cost;
}

/* The cost of the pixels in padded rows [rows.begin, rows.end), added to sum until that passes the limit. */
ALWAYS_INLINE static inline uint32_t add_rows(DistortionQuery *work, int warp, int context, int directions,
                                              Range rows, uint32_t sum, uint32_t limit) {
    const int displacements = (2 * warp + 1) * (2 * warp + 1), end = (int)rows.end;
    int row = (int)rows.begin;
    for (int above = row - context; above < row + context && row < end; above++)
        subtract_rows(work, warp, context, directions, above);
    for (; row < end && sum <= limit; row++) {
        subtract_rows(work, warp, context, directions, row + context);
        add_context_rows(work, displacements, context);
        sum += row_cost(work, displacements, context);
    }
    return sum;
}

/* The lower part of the digit first: it tells most early. */
ALWAYS_INLINE static inline uint32_t cost(DistortionQuery *work, int warp, int context, int directions,
                                          Range rows, uint32_t limit) {
    const int64_t middle = rows.begin + range_size(rows) / 3;
    const uint32_t sum = add_rows(work, warp, context, directions, (Range){middle, rows.end}, 0, limit);
    return add_rows(work, warp, context, directions, (Range){rows.begin, middle}, sum, limit);
}

/* The padded rows whose contexts aren't all zeros without a displacement: others cost nothing. */
static Range costly_rows(const Gradients *query, const Gradients *reference, int context) {
    const int first = query->first_row < reference->first_row ? query->first_row : reference->first_row;
    const int end = query->end_row > reference->end_row ? query->end_row : reference->end_row;
    const Range rows = {PAD + first - context, PAD + end + context}, all = {PAD, PAD + IMAGE_SIDE};
    if (first >= end) return (Range){PAD, PAD};
    return (Range){rows.begin < all.begin ? all.begin : rows.begin, rows.end > all.end ? all.end : rows.end};
}

WIDE uint32_t distortion_cost(DistortionQuery *query, const Gradients *reference, uint32_t limit) {
    const Distortion *distortion = &query->distortion;
    const int warp = distortion->warp, context = distortion->context, directions = distortion->directions;
    const Range rows = costly_rows(&query->gradients, reference, context);
    spread(reference, directions, &query->reference);
    /* constants make fast loops */
    if (warp == 2 && context == 1 && directions == 4) return cost(query, 2, 1, 4, rows, limit);
    if (warp == 2 && context == 1 && directions == 2) return cost(query, 2, 1, 2, rows, limit);
    if (context == 1) return cost(query, warp, 1, directions, rows, limit);
    return cost(query, warp, context, directions, rows, limit);
}
