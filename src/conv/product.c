#include "conv/product.h"

#include "conv/product_dots.h"
#include "core/integers.h"
#include "kernels/vec.h"

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

/* Rows go by threes: those of a three are evenly spaced, and so are the threes. An address is then one of a
 * few pointers plus 0, 1 or 2 times the spacing, which processors add for nothing. */
enum { THREE = 3, MOST_THREES = (MOST_ROWS + THREE - 1) / THREE };

typedef struct {
    const Product *product;
    const float *in, *factors, *start,
        *relu_mask; /* of the first row and column; start and relu_mask may be NULL */
    float *out;
    int64_t in_stride, out_stride;      /* floats between rows of a three */
    int64_t in_jump, out_jump;          /* floats between threes */
    int64_t factor_stride, factor_skip; /* floats to the next summand's; more after each innermost loop */
    int last_lanes;                     /* columns in the last vector */
} Block;

/* Keeps the compiler from making a pointer of its own for each row, for which there aren't enough registers.
 */
#define HIDE(value) __asm__("" : "+r"(value))

/* Keeps the compiler from loading a factor again for each row. */
#if defined(__AVX512F__)
#define KEEP(vector) __asm__("" : "+v"(vector))
#elif defined(__AVX__)
#define KEEP(vector) __asm__("" : "+x"(vector))
#else
#define KEEP(vector) (void)(vector)
#endif

static inline __attribute__((always_inline)) int64_t out_place(const Block *block, int row) {
    return row / THREE * block->out_jump + row % THREE * block->out_stride;
}

static inline __attribute__((always_inline)) void
block_start(const Block *block, const int rows, const int vectors, vec total[MOST_ROWS][MOST_VECTORS]) {
    if (block->start) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            const vec start = vec_load(block->start + v * LANES);
#pragma GCC unroll 24
            for (int r = 0; r < rows; r++)
                total[r][v] = start;
        }
        return;
    }
#pragma GCC unroll 24
    for (int r = 0; r < rows; r++) {
        const float *from = block->out + out_place(block, r);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            total[r][v] = vec_load_lanes(from + v * LANES, v + 1 < vectors ? LANES : block->last_lanes);
    }
}

static inline __attribute__((always_inline)) void
block_finish(const Block *block, const int rows, const int vectors, vec total[MOST_ROWS][MOST_VECTORS]) {
    if (block->product->relu) {
#pragma GCC unroll 24
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                total[r][v] = vec_relu(total[r][v]);
    }
    if (block->relu_mask || block->last_lanes < LANES) {
#pragma GCC unroll 24
        for (int r = 0; r < rows; r++) {
            const int64_t at = out_place(block, r);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                const int lanes = v + 1 < vectors ? LANES : block->last_lanes;
                if (block->relu_mask)
                    total[r][v] =
                        vec_relu_mask(vec_load_lanes(block->relu_mask + at + v * LANES, lanes), total[r][v]);
                vec_store_lanes(block->out + at + v * LANES, total[r][v], lanes);
            }
        }
        return;
    }
#pragma GCC unroll 24
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            vec_store(block->out + out_place(block, r) + v * LANES, total[r][v]);
}

static inline __attribute__((always_inline)) void block_compute(const Block *block, const int rows,
                                                                const int vectors) {
    const Loops *sum = &block->product->sum;
    const int threes = (rows + THREE - 1) / THREE;
    const int64_t factor_stride = block->factor_stride, step = sum->stride[2];
    const int64_t line_step = sum->stride[1] - sum->count[2] * step;
    const int64_t image_step = sum->stride[0] - sum->count[1] * sum->stride[1];
    int64_t stride = block->in_stride;
    vec total[MOST_ROWS][MOST_VECTORS];
    const float *in[MOST_THREES], *factors = block->factors;
#pragma GCC unroll 8
    for (int t = 0; t < threes; t++)
        in[t] = block->in + t * block->in_jump;
    block_start(block, rows, vectors, total);
    for (int64_t i = 0; i < sum->count[0]; i++) {
        for (int64_t j = 0; j < sum->count[1]; j++) {
            for (int64_t k = 0; k < sum->count[2]; k++) {
                HIDE(stride);
                vec factor[MOST_VECTORS];
#pragma GCC unroll 4
                for (int v = 0; v < vectors; v++) {
                    factor[v] = vec_load(factors + v * LANES);
                    KEEP(factor[v]);
                }
#pragma GCC unroll 24
                for (int r = 0; r < rows; r++) {
                    const float x = in[r / THREE][r % THREE * stride];
#pragma GCC unroll 4
                    for (int v = 0; v < vectors; v++)
                        total[r][v] += x * factor[v];
                }
#pragma GCC unroll 8
                for (int t = 0; t < threes; t++)
                    in[t] += step;
                factors += factor_stride;
            }
#pragma GCC unroll 8
            for (int t = 0; t < threes; t++)
                in[t] += line_step;
            factors += block->factor_skip;
        }
        factors += block->product->factor_image_skip;
#pragma GCC unroll 8
        for (int t = 0; t < threes; t++)
            in[t] += image_step;
    }
    block_finish(block, rows, vectors, total);
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
    return (int)round_up(columns, LANES);
}

/* Vectors of the group of columns that begins at vector `first` of `vectors`: as few groups as can be, of
 * even width. */
static int group_vectors(int vectors, int first) {
    const int groups = (vectors - first + MOST_VECTORS - 1) / MOST_VECTORS;
    return (vectors - first + groups - 1) / groups;
}

/* How many of the columns, the last ones, are computed as dot products: few, in vectors along long runs. */
static int dot_columns(int columns, int64_t run) {
    const int rest = columns % LANES;
    return rest <= LANES / 4 && run >= 2 * LANES ? rest : 0;
}

static void pack_columns(const float *from, int64_t count, int64_t k_stride, int64_t column_stride, int used,
                         int width, float *to) {
    for (int64_t k = 0; k < count; k++, to += width) {
        for (int c = 0; c < used; c++)
            to[c] = from[k * k_stride + c * column_stride];
        for (int c = used; c < width; c++)
            to[c] = 0;
    }
}

void product_pack(int64_t length, int64_t run, int columns, int64_t first_k, int64_t count, const float *from,
                  int64_t k_stride, int64_t column_stride, float *packed) {
    const int dots = dot_columns(columns, run);
    const int vectors = product_round_up(columns - dots) / LANES;
    int width;
    for (int first = 0; first < vectors * LANES; first += width) {
        width = group_vectors(vectors, first / LANES) * LANES;
        const int used = columns - dots - first < width ? columns - dots - first : width;
        pack_columns(from + first * column_stride, count, k_stride, column_stride, used, width,
                     packed + length * first + first_k * width);
    }
    for (int c = columns - dots; c < columns; c++)
        for (int64_t k = 0; k < count; k++)
            packed[length * c + first_k + k] = from[k * k_stride + c * column_stride];
}

PackedColumn product_packed_column(int64_t length, int columns, int column) {
    const int vectors = product_round_up(columns) / LANES;
    int first = 0, width = group_vectors(vectors, 0);
    while ((first + width) * LANES <= column) {
        first += width;
        width = group_vectors(vectors, first);
    }
    return (PackedColumn){length * first * LANES + column - first * LANES, width * LANES};
}

/* The loops over rows, in the order in which they are taken. */
typedef struct {
    int64_t count[3], in_stride[3], out_stride[3];
} RowLoops;

static void swap_loops(RowLoops *rows, int a, int b) {
    int64_t *const fields[] = {rows->count, rows->in_stride, rows->out_stride};
    for (int f = 0; f < 3; f++) {
        const int64_t value = fields[f][a];
        fields[f][a] = fields[f][b];
        fields[f][b] = value;
    }
}

/* Blocks are cut from the innermost loop, or from the inner two if that is a three; so the longest goes
 * there: rows may be taken in any order. */
static RowLoops order_rows(const Product *p) {
    RowLoops rows;
    memcpy(rows.count, p->rows.count, sizeof rows.count);
    memcpy(rows.in_stride, p->rows.stride, sizeof rows.in_stride);
    memcpy(rows.out_stride, p->out_stride, sizeof rows.out_stride);
    for (int l = 0; l < 2; l++)
        if (rows.count[l] > rows.count[2]) swap_loops(&rows, l, 2);
    if (rows.count[0] > rows.count[1]) swap_loops(&rows, 0, 1);
    return rows;
}

/* `count` rows, or threes of rows, one behind the other, in blocks of nearly the same number. */
static void compute_line(const Block *line, int vectors, int64_t count, int unit) {
    const int most = most_rows[vectors] / unit;
    const int64_t blocks = (count + most - 1) / most;
    const int64_t in_stride = unit == 1 ? line->in_stride : line->in_jump;
    const int64_t out_stride = unit == 1 ? line->out_stride : line->out_jump;
    const int64_t smaller = count / blocks, larger = count % blocks; /* so many blocks have a row more */
    Block block = *line;
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t rows = smaller + (b < larger);
        block_functions[vectors][rows * unit](&block);
        block.in += rows * in_stride;
        block.out += rows * out_stride;
        if (block.relu_mask) block.relu_mask += rows * out_stride;
    }
}

/* All rows of one group of columns. */
static void compute_group(const RowLoops *rows, const Block *group, int vectors) {
    const int by_threes = rows->count[2] == THREE && rows->count[1] > 1;
    const int jump = by_threes ? 1 : 2, factor = by_threes ? 1 : THREE;
    const int64_t lines = by_threes ? 1 : rows->count[1];
    Block block = *group;
    block.in_stride = rows->in_stride[2];
    block.out_stride = rows->out_stride[2];
    block.in_jump = factor * rows->in_stride[jump];
    block.out_jump = factor * rows->out_stride[jump];
    for (int64_t i = 0; i < rows->count[0]; i++) {
        for (int64_t j = 0; j < lines; j++) {
            const int64_t out_at = i * rows->out_stride[0] + j * rows->out_stride[1];
            block.in = group->in + i * rows->in_stride[0] + j * rows->in_stride[1];
            block.out = group->out + out_at;
            block.relu_mask = group->relu_mask ? group->relu_mask + out_at : NULL;
            compute_line(&block, vectors, rows->count[jump], by_threes ? THREE : 1);
        }
    }
}

/* All rows of the last few columns. */
static void compute_dots(const Product *p, const RowLoops *rows, int columns) {
    const int column = p->columns - columns;
    Dots dots = {
        .product = p,
        .start = p->start ? p->start + column : NULL,
        .factors = p->factors + p->packed_length * column + p->first_factor,
        .factor_stride = p->packed_length,
        .in_stride = rows->in_stride[2],
        .out_stride = rows->out_stride[2],
    };
    for (int64_t i = 0; i < rows->count[0]; i++) {
        for (int64_t j = 0; j < rows->count[1]; j++) {
            const int64_t out_at = column + i * rows->out_stride[0] + j * rows->out_stride[1];
            dots.in = p->in + i * rows->in_stride[0] + j * rows->in_stride[1];
            dots.out = p->out + out_at;
            dots.relu_mask = p->relu_mask ? p->relu_mask + out_at : NULL;
            product_dots_compute(&dots, columns, rows->count[2]);
        }
    }
}

void product_compute(const Product *p) {
    const RowLoops rows = order_rows(p);
    const int dots = p->packed_length ? dot_columns(p->columns, p->packed_run) : 0;
    const int vectors = product_round_up(p->columns - dots) / LANES;
    int width;
    for (int first = 0; first < vectors; first += width) {
        width = group_vectors(vectors, first);
        const int column = first * LANES, last = p->columns - dots - (first + width - 1) * LANES;
        Block block = {
            .product = p,
            .in = p->in,
            .factors = p->factors + column,
            .start = p->start ? p->start + column : NULL,
            .relu_mask = p->relu_mask ? p->relu_mask + column : NULL,
            .out = p->out + column,
            .factor_stride = p->factor_stride,
            .factor_skip = p->factor_line_skip,
            .last_lanes = last < LANES ? last : LANES,
        };
        if (p->packed_length) {
            block.factor_stride = width * LANES;
            block.factors = p->factors + p->packed_length * column + p->first_factor * block.factor_stride;
            block.factor_skip = p->skipped_factors * block.factor_stride;
        }
        compute_group(&rows, &block, width);
    }
    if (dots) compute_dots(p, &rows, dots);
}
