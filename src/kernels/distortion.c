#include "kernels/distortion.h"

#include "core/mem.h"
#include "core/partition.h"

#include <stdalign.h>
#include <stdbool.h>
#include <string.h>

/* An image is cut into strips of STRIP columns. Their rows are padded on all sides with zeros, or with what
 * is beside them, as far as displacements and contexts lead, and handled as whole vectors: LANES columns,
 * from column -DISTORTION_MAX_CONTEXT on. */
enum {
    PAD = DISTORTION_MAX_WARP + DISTORTION_MAX_CONTEXT,
    LANES = 32,
    FIRST_LANE = DISTORTION_MAX_CONTEXT, /* where column 0 is */
    STRIP = LANES - 2 * DISTORTION_MAX_CONTEXT,
    GRADIENT_UNIT = 32, /* rows of gradients end at a multiple of it */
    PADDED_ROWS = SIDE_MAX + 2 * PAD,
    PADDED_STRIDE = 48,
    MOST_DISPLACEMENTS = (2 * DISTORTION_MAX_WARP + 1) * (2 * DISTORTION_MAX_WARP + 1),
    MOST_CONTEXT_ROWS = 2 * DISTORTION_MAX_CONTEXT + 1,
    SOBEL_MOST = 4 * 255,
};
_Static_assert(PAD + GRADIENT_UNIT <= PADDED_STRIDE, "a row of gradients fits between paddings");
_Static_assert(PAD - FIRST_LANE + DISTORTION_MAX_WARP + LANES <= PADDED_STRIDE, "displaced rows stay inside");

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

/* Columns [first, first + columns) of both images. */
typedef struct {
    int first, columns;
    Padded query, reference;
} Strip;

struct DistortionQuery {
    Distortion distortion;
    int first_row, end_row; /* of the query's gradients */
    int strip_count;
    Strip *strips;
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

static int gradient_stride(ImageSpec spec) {
    return (spec.width + GRADIENT_UNIT - 1) / GRADIENT_UNIT * GRADIENT_UNIT;
}

int64_t distortion_gradient_bytes(const Distortion *distortion) {
    return (int64_t)distortion->directions * distortion->spec.height * gradient_stride(distortion->spec);
}

void distortion_gradients(const Distortion *distortion, const uint8_t *image, Gradients *gradients) {
    const ImageSpec spec = distortion->spec;
    const int most = gradient_most(distortion), stride = gradient_stride(spec);
    int pixels[SIDE_MAX + 2][SIDE_MAX + 2] = {{0}}, along[DISTORTION_MAX_DIRECTIONS];
    gradients->first_row = gradients->end_row = 0;
    memset(gradients->along, 0, (size_t)distortion_gradient_bytes(distortion));
    for (int row = 0; row < spec.height; row++)
        for (int column = 0; column < spec.width; column++)
            pixels[1 + row][1 + column] = image[row * spec.width + column];
    for (int row = 0; row < spec.height; row++)
        for (int column = 0; column < spec.width; column++) {
            sobel(&pixels[row][column + 1], &pixels[row + 1][column + 1], &pixels[row + 2][column + 1],
                  along);
            for (int d = 0; d < distortion->directions; d++) {
                const int8_t root = signed_root(along[d], most);
                gradients->along[(d * spec.height + row) * stride + column] = root;
                if (!root) continue;
                if (!gradients->end_row) gradients->first_row = row;
                gradients->end_row = row + 1;
            }
        }
}

/* Copies columns [from, from + count) of the gradients to padded column `to` on. */
ALWAYS_INLINE static inline void spread_columns(const Distortion *distortion, const Gradients *gradients,
                                                int from, int count, int to, Padded *padded) {
    const int height = distortion->spec.height, stride = gradient_stride(distortion->spec);
    for (int d = 0; d < distortion->directions; d++)
        for (int row = 0; row < height; row++) {
            const int8_t *line = gradients->along + (d * height + row) * stride + from;
            for (int column = 0; column < count; column++)
                padded->along[d][PAD + row][to + column] = (int16_t)line[column];
        }
}

static void spread(const Distortion *distortion, const Gradients *gradients, int first, Padded *padded) {
    const int stride = gradient_stride(distortion->spec), from = first < PAD ? 0 : first - PAD;
    const int to = from - (first - PAD),
              count = stride - from < PADDED_STRIDE - to ? stride - from : PADDED_STRIDE - to;
    if (count == GRADIENT_UNIT) /* constants make fast loops */
        spread_columns(distortion, gradients, from, GRADIENT_UNIT, to, padded);
    else
        spread_columns(distortion, gradients, from, count, to, padded);
}

DistortionQuery *distortion_query_create(const Distortion *distortion) {
    DistortionQuery *query = mem_new(1, sizeof *query);
    const int width = distortion->spec.width;
    query->distortion = *distortion;
    query->strip_count = (width + STRIP - 1) / STRIP;
    query->strips = mem_new((size_t)query->strip_count, sizeof *query->strips);
    for (int s = 0; s < query->strip_count; s++) {
        query->strips[s].first = s * STRIP;
        query->strips[s].columns = width - s * STRIP < STRIP ? width - s * STRIP : STRIP;
    }
    return query;
}

void distortion_query_destroy(DistortionQuery **query) {
    if (*query) mem_free((*query)->strips);
    mem_free(*query);
    *query = NULL;
}

void distortion_query_set(DistortionQuery *query, const Gradients *gradients) {
    query->first_row = gradients->first_row;
    query->end_row = gradients->end_row;
    for (int s = 0; s < query->strip_count; s++)
        spread(&query->distortion, gradients, query->strips[s].first, &query->strips[s].query);
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
WIDE static inline void subtract_rows(DistortionQuery *work, const Strip *strip, int warp, int context,
                                      int directions, int row) {
    int displacement = 0, slot = row % (2 * context + 1);
    for (int down = -warp; down <= warp; down++)
        for (int right = -warp; right <= warp; right++)
            subtract_row(&strip->query, &strip->reference, directions, row, down, right,
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
WIDE static inline uint32_t row_cost(const DistortionQuery *work, int displacements, int context,
                                     int columns) {
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
    for (int lane = 0; lane < STRIP; lane++)
        cost += lane < columns ? least[FIRST_LANE + lane] : 0;
    return cost;
}

/* The cost of a strip's pixels in padded rows [rows.begin, rows.end), added to sum until that passes the
 * limit. */
ALWAYS_INLINE static inline uint32_t add_rows(DistortionQuery *work, const Strip *strip, int warp,
                                              int context, int directions, Range rows, uint32_t sum,
                                              uint32_t limit) {
    const int displacements = (2 * warp + 1) * (2 * warp + 1), end = (int)rows.end;
    int row = (int)rows.begin;
    for (int above = row - context; above < row + context && row < end; above++)
        subtract_rows(work, strip, warp, context, directions, above);
    for (; row < end && sum <= limit; row++) {
        subtract_rows(work, strip, warp, context, directions, row + context);
        add_context_rows(work, displacements, context);
        sum += row_cost(work, displacements, context, strip->columns);
    }
    return sum;
}

/* The lower part of the digit first: it tells most early. */
ALWAYS_INLINE static inline uint32_t cost(DistortionQuery *work, const Strip *strip, int warp, int context,
                                          int directions, Range rows, uint32_t sum, uint32_t limit) {
    const int64_t middle = rows.begin + range_size(rows) / 3;
    sum = add_rows(work, strip, warp, context, directions, (Range){middle, rows.end}, sum, limit);
    return add_rows(work, strip, warp, context, directions, (Range){rows.begin, middle}, sum, limit);
}

/* The padded rows whose contexts aren't all zeros without a displacement: others cost nothing. */
static Range costly_rows(const DistortionQuery *query, const Gradients *reference, int context) {
    const int first = query->first_row < reference->first_row ? query->first_row : reference->first_row;
    const int end = query->end_row > reference->end_row ? query->end_row : reference->end_row;
    const Range rows = {PAD + first - context, PAD + end + context},
                all = {PAD, PAD + query->distortion.spec.height};
    if (first >= end) return (Range){PAD, PAD};
    return (Range){rows.begin < all.begin ? all.begin : rows.begin, rows.end > all.end ? all.end : rows.end};
}

WIDE static uint32_t strip_cost(DistortionQuery *query, Strip *strip, const Gradients *reference,
                                uint32_t sum, uint32_t limit) {
    const Distortion *distortion = &query->distortion;
    const int warp = distortion->warp, context = distortion->context, directions = distortion->directions;
    const Range rows = costly_rows(query, reference, context);
    spread(distortion, reference, strip->first, &strip->reference);
    /* constants make fast loops */
    if (warp == 2 && context == 1 && directions == 4) return cost(query, strip, 2, 1, 4, rows, sum, limit);
    if (warp == 2 && context == 1 && directions == 2) return cost(query, strip, 2, 1, 2, rows, sum, limit);
    if (context == 1) return cost(query, strip, warp, 1, directions, rows, sum, limit);
    return cost(query, strip, warp, context, directions, rows, sum, limit);
}

uint32_t distortion_cost(DistortionQuery *query, const Gradients *reference, uint32_t limit) {
    uint32_t sum = 0;
    for (int s = 0; s < query->strip_count && sum <= limit; s++)
        sum = strip_cost(query, &query->strips[s], reference, sum, limit);
    return sum;
}
