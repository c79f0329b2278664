#include "product.h"

#include "vec.h"

/* A block of the output is kept in registers while its sum runs: a few vectors of columns, and as many rows
 * as leave registers for the factors and one input. FOR_n lists the blocks of 1 to n rows. */
#define FOR_4(X, vectors)  X(1, vectors) X(2, vectors) X(3, vectors) X(4, vectors)
#define FOR_6(X, vectors)  FOR_4(X, vectors) X(5, vectors) X(6, vectors)
#define FOR_9(X, vectors)  FOR_6(X, vectors) X(7, vectors) X(8, vectors) X(9, vectors)
#define FOR_12(X, vectors) FOR_9(X, vectors) X(10, vectors) X(11, vectors) X(12, vectors)
#define FOR_14(X, vectors) FOR_12(X, vectors) X(13, vectors) X(14, vectors)
#define FOR_24(X, vectors)                                                                                   \
    FOR_14(X, vectors)                                                                                       \
    X(15, vectors)                                                                                           \
    X(16, vectors)                                                                                           \
    X(17, vectors)                                                                                           \
    X(18, vectors) X(19, vectors) X(20, vectors) X(21, vectors) X(22, vectors) X(23, vectors) X(24, vectors)
#ifdef __AVX512F__ /* 32 registers */
#define FOR_BLOCKS(X) FOR_24(X, 1) FOR_14(X, 2) FOR_9(X, 3) FOR_6(X, 4)
enum { MOST_VECTORS = 4, MOST_ROWS = 24 };
static const int most_rows[] = {0, 24, 14, 9, 6};
#else /* 16 registers */
#define FOR_BLOCKS(X) FOR_12(X, 1) FOR_6(X, 2) FOR_4(X, 3)
enum { MOST_VECTORS = 3, MOST_ROWS = 12 };
static const int most_rows[] = {0, 12, 6, 4};
#endif

typedef struct {
    const Product *product;
    const float *factors;               /* of the first column */
    int64_t factor_stride, factor_skip; /* floats to the next summand's; more after each innermost loop */
    int64_t in_at[MOST_ROWS];           /* places of the rows */
    int64_t out_at[MOST_ROWS];
    int column, last_lanes; /* first column; columns in the last vector */
} Block;

static inline __attribute__((always_inline)) void block_compute(const Block *block, const int rows,
                                                                const int vectors) {
    const Product *p = block->product;
    const Loops *sum = &p->sum;
    vec total[MOST_ROWS][MOST_VECTORS];
    const float *in[MOST_ROWS];
#pragma GCC unroll 24
    for (int r = 0; r < rows; r++) {
        in[r] = p->in + block->in_at[r];
        const float *from = p->start ? p->start + block->column : p->out + block->out_at[r];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            const int whole = p->start || v + 1 < vectors || block->last_lanes == LANES;
            total[r][v] =
                whole ? vec_load(from + v * LANES) : vec_load_part(from + v * LANES, block->last_lanes);
        }
    }
    const float *factors = block->factors;
    for (int64_t i = 0; i < sum->count[0]; i++) {
        for (int64_t j = 0; j < sum->count[1]; j++) {
            int64_t at = i * sum->stride[0] + j * sum->stride[1];
            for (int64_t k = 0; k < sum->count[2]; k++) {
                vec factor[MOST_VECTORS];
#pragma GCC unroll 4
                for (int v = 0; v < vectors; v++)
                    factor[v] = vec_load(factors + v * LANES);
#pragma GCC unroll 24
                for (int r = 0; r < rows; r++) {
                    const float x = in[r][at];
#pragma GCC unroll 4
                    for (int v = 0; v < vectors; v++)
                        total[r][v] += x * factor[v];
                }
                at += sum->stride[2];
                factors += block->factor_stride;
            }
            factors += block->factor_skip;
        }
    }
#pragma GCC unroll 24
    for (int r = 0; r < rows; r++) {
        float *to = p->out + block->out_at[r];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            if (v + 1 < vectors || block->last_lanes == LANES)
                vec_store(to + v * LANES, total[r][v]);
            else
                vec_store_part(to + v * LANES, total[r][v], block->last_lanes);
        }
    }
}

#define DEFINE(rows, vectors)                                                                                \
    static void block_##rows##x##vectors(const Block *block) {                                               \
        block_compute(block, rows, vectors);                                                                 \
    }
FOR_BLOCKS(DEFINE)

typedef void (*BlockFunction)(const Block *block);
#define ENTRY(rows, vectors) [vectors][rows] = block_##rows##x##vectors,
static const BlockFunction block_functions[MOST_VECTORS + 1][MOST_ROWS + 1] = {FOR_BLOCKS(ENTRY)};

int product_round_up(int columns) {
    return (columns + LANES - 1) / LANES * LANES;
}

/* Vectors of the group of columns that begins at vector `first` of `vectors`: as few groups as can be, of
 * even width. */
static int group_vectors(int vectors, int first) {
    const int groups = (vectors - first + MOST_VECTORS - 1) / MOST_VECTORS;
    return (vectors - first + groups - 1) / groups;
}

void product_pack(int64_t length, int columns, int64_t first_k, int64_t count, const float *from,
                  int64_t k_stride, int64_t column_stride, float *packed) {
    const int vectors = product_round_up(columns) / LANES;
    int width;
    for (int first = 0; first < vectors; first += width / LANES) {
        width = group_vectors(vectors, first) * LANES;
        float *to = packed + length * first * LANES + first_k * width;
        const int used = columns - first * LANES < width ? columns - first * LANES : width;
        for (int64_t k = 0; k < count; k++, to += width) {
            const float *k_from = from + k * k_stride + first * LANES * column_stride;
            for (int c = 0; c < used; c++)
                to[c] = k_from[c * column_stride];
            for (int c = used; c < width; c++)
                to[c] = 0;
        }
    }
}

/* Walks over the rows of the product. */
typedef struct {
    int64_t index[3];
    int64_t in_at, out_at;
} Walk;

static void next_line(const Product *p, Walk *walk) {
    const int64_t *count = p->rows.count, *stride = p->rows.stride;
    walk->index[2] = 0;
    walk->in_at += stride[1] - count[2] * stride[2];
    walk->out_at += p->out_stride[1] - count[2] * p->out_stride[2];
    if (++walk->index[1] < count[1]) return;
    walk->index[1] = 0;
    walk->in_at += stride[0] - count[1] * stride[1];
    walk->out_at += p->out_stride[0] - count[1] * p->out_stride[1];
}

static void take_rows(const Product *p, Walk *walk, int rows, Block *block) {
    for (int r = 0; r < rows; r++) {
        block->in_at[r] = walk->in_at;
        block->out_at[r] = walk->out_at;
        walk->in_at += p->rows.stride[2];
        walk->out_at += p->out_stride[2];
        if (++walk->index[2] == p->rows.count[2]) next_line(p, walk);
    }
}

/* All rows of one group of columns, in blocks of nearly the same number of rows. */
static void compute_group(const Product *p, Block *block, int vectors) {
    const int64_t rows = p->rows.count[0] * p->rows.count[1] * p->rows.count[2];
    const int64_t blocks = (rows + most_rows[vectors] - 1) / most_rows[vectors];
    Walk walk = {.out_at = block->column};
    for (int64_t b = 0; b < blocks; b++) {
        const int block_rows = (int)(rows * (b + 1) / blocks - rows * b / blocks);
        take_rows(p, &walk, block_rows, block);
        block_functions[vectors][block_rows](block);
    }
}

void product_compute(const Product *p) {
    const int vectors = product_round_up(p->columns) / LANES;
    int width;
    for (int first = 0; first < vectors; first += width) {
        width = group_vectors(vectors, first);
        const int last = p->columns - (first + width - 1) * LANES;
        Block block = {
            .product = p,
            .factors = p->factors + first * LANES,
            .factor_stride = p->factor_stride,
            .column = first * LANES,
            .last_lanes = last < LANES ? last : LANES,
        };
        if (p->packed_length) {
            block.factor_stride = width * LANES;
            block.factors =
                p->factors + p->packed_length * first * LANES + p->first_factor * block.factor_stride;
            block.factor_skip = p->skipped_factors * block.factor_stride;
        }
        compute_group(p, &block, width);
    }
}
