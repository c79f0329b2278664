#include "pardigits/distortion.h"

#include "pardigits/mem.h"

#include <stdalign.h>
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

typedef struct {
    int16_t x[PADDED_ROWS][PADDED_STRIDE], y[PADDED_ROWS][PADDED_STRIDE];
} Padded;

/* 16-bit sums over a context, of one row; with room for the columns beside it. */
typedef struct {
    alignas(MEM_ALIGNMENT) uint16_t sums[LANES + 2 * MEM_ALIGNMENT / sizeof(uint16_t)];
} ContextRow;

struct DistortionQuery {
    Distortion distortion;
    Padded query, reference;
    /* [displacement][row modulo the context's rows][lane]: squared differences of gradients */
    alignas(MEM_ALIGNMENT) uint16_t squares[MOST_DISPLACEMENTS][MOST_CONTEXT_ROWS][LANES];
    ContextRow rows[MOST_DISPLACEMENTS];
};

/* The largest gradient. Sobel's two channels of one pixel add up to 6 * 255 at most, so their roots' squares
 * to 32^2 * 1530 / 1020 and a little for rounding; two pixels differ by at most four times that (twice the
 * length, squared), and the (2 context + 1)^2 of them must stay below 2^16: 9 * 4 * 1568 does with 32, 25 * 4
 * * 617 with 20. */
static int gradient_most(int context) {
    return context < 2 ? 32 : 20;
}

/* The nearest whole number to most * sqrt(sobel / SOBEL_MOST), with its sign. */
static int8_t signed_root(int sobel, int most) {
    int size = sobel < 0 ? -sobel : sobel, root = 0;
    /* root + 1/2 <= most * sqrt(size / SOBEL_MOST), squared and times 4 SOBEL_MOST */
    while ((2 * root + 1) * (2 * root + 1) * SOBEL_MOST <= 4 * most * most * size)
        root++;
    return (int8_t)(sobel < 0 ? -root : root);
}

void distortion_gradients(const Distortion *distortion, const uint8_t *image, Gradients *gradients) {
    enum { SIDE = IMAGE_SIDE + 2 };
    int pixels[SIDE][SIDE] = {{0}};
    const int most = gradient_most(distortion->context);
    memset(gradients, 0, sizeof *gradients);
    for (int i = 0; i < IMAGE_PIXELS; i++)
        pixels[1 + i / IMAGE_SIDE][1 + i % IMAGE_SIDE] = image[i];
    for (int row = 0; row < IMAGE_SIDE; row++) {
        const int *above = pixels[row], *here = pixels[row + 1], *below = pixels[row + 2];
        for (int left = 0, right = 2; left < IMAGE_SIDE; left++, right++) {
            int x =
                above[right] + 2 * here[right] + below[right] - above[left] - 2 * here[left] - below[left];
            int y = below[left] + 2 * below[left + 1] + below[right] - above[left] - 2 * above[left + 1] -
                    above[right];
            gradients->x[row][left] = signed_root(x, most);
            gradients->y[row][left] = signed_root(y, most);
        }
    }
}

static void spread(const Gradients *gradients, Padded *padded) {
    for (int row = 0; row < IMAGE_SIDE; row++)
        for (int column = 0; column < GRADIENT_STRIDE; column++) {
            padded->x[PAD + row][PAD + column] = gradients->x[row][column];
            padded->y[PAD + row][PAD + column] = gradients->y[row][column];
        }
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
    spread(gradients, &query->query);
}

/* The squared differences of one padded row for one displacement. */
static inline void subtract_row(const Padded *query, const Padded *reference, int row, int down, int right,
                                uint16_t *restrict squares) {
    enum { FROM = PAD - FIRST_LANE };
    const int16_t *a = query->x[row] + FROM, *c = query->y[row] + FROM;
    const int16_t *b = reference->x[row + down] + FROM + right, *d = reference->y[row + down] + FROM + right;
    for (int lane = 0; lane < LANES; lane++) {
        int16_t x = (int16_t)(a[lane] - b[lane]), y = (int16_t)(c[lane] - d[lane]);
        squares[lane] = (uint16_t)((uint16_t)(x * x) + (uint16_t)(y * y));
    }
}

/* The squares of padded row `row` for all displacements. */
static inline void subtract_rows(DistortionQuery *work, int warp, int context, int row) {
    int displacement = 0, slot = row % (2 * context + 1);
    for (int down = -warp; down <= warp; down++)
        for (int right = -warp; right <= warp; right++)
            subtract_row(&work->query, &work->reference, row, down, right,
                         work->squares[displacement++][slot]);
}

static inline void add_context_rows(DistortionQuery *work, int displacements, int context) {
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
static inline uint32_t row_cost(const DistortionQuery *work, int displacements, int context) {
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

__attribute__((always_inline)) static inline uint32_t cost(DistortionQuery *work, int warp, int context,
                                                           uint32_t limit) {
    const int displacements = (2 * warp + 1) * (2 * warp + 1);
    uint32_t sum = 0;
    for (int row = PAD - context; row < PAD + context; row++)
        subtract_rows(work, warp, context, row);
    for (int row = PAD; row < PAD + IMAGE_SIDE && sum <= limit; row++) {
        subtract_rows(work, warp, context, row + context);
        add_context_rows(work, displacements, context);
        sum += row_cost(work, displacements, context);
    }
    return sum;
}

uint32_t distortion_cost(DistortionQuery *query, const Gradients *reference, uint32_t limit) {
    spread(reference, &query->reference);
    const Distortion *distortion = &query->distortion;
    switch (distortion->context) { /* constants make fast loops */
    case 0:
        return cost(query, distortion->warp, 0, limit);
    case 1:
        return distortion->warp == 2 ? cost(query, 2, 1, limit) : cost(query, distortion->warp, 1, limit);
    default:
        return cost(query, distortion->warp, 2, limit);
    }
}
