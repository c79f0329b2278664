#include "conv/product_dots.h"

#include "kernels/vec.h"

enum { MOST_COLUMNS = 4, MOST_ROWS = 8, PAIR = 2, MOST_PAIRS = MOST_ROWS / PAIR };

/* Adds the products of `lanes` summands from k on; in[] are the rows by pairs. */
static inline __attribute__((always_inline)) void
add_products(const Dots *d, const int rows, const int columns, const float *const in[MOST_PAIRS],
             const float *factors, int64_t k, int lanes, vec total[MOST_ROWS][MOST_COLUMNS]) {
    vec factor[MOST_COLUMNS];
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++)
        factor[c] = vec_load_lanes(factors + c * d->factor_stride + k, lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        const vec x = vec_load_lanes(in[r / PAIR] + r % PAIR * d->in_stride + k, lanes);
#pragma GCC unroll 4
        for (int c = 0; c < columns; c++)
            total[r][c] += x * factor[c];
    }
}

static inline __attribute__((always_inline)) void
dots_finish(const Dots *d, const int rows, const int columns, vec total[MOST_ROWS][MOST_COLUMNS]) {
    const int changes = d->product->relu || d->relu_mask;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (int c = 0; c < columns; c++) {
            const int64_t at = r * d->out_stride + c;
            float sum = (d->start ? d->start[c] : d->out[at]) + vec_sum(total[r][c]);
            if (changes) {
                if (d->product->relu) sum = sum < 0 ? 0 : sum;
                if (d->relu_mask) sum = d->relu_mask[at] > 0 ? sum : 0;
            }
            d->out[at] = sum;
        }
    }
}

static inline __attribute__((always_inline)) void dots_block(const Dots *d, const int rows,
                                                             const int columns) {
    const Loops *loops = &d->product->sum;
    const int64_t count = loops->count[2], whole = count - count % LANES;
    vec total[MOST_ROWS][MOST_COLUMNS] = {{{0}}};
    const float *factors = d->factors, *in[MOST_PAIRS];
#pragma GCC unroll 4
    for (int p = 0; p < (rows + 1) / PAIR; p++)
        in[p] = d->in + p * PAIR * d->in_stride;
    for (int64_t line = 0; line < loops->count[1]; line++) {
        for (int64_t k = 0; k < whole; k += LANES)
            add_products(d, rows, columns, in, factors, k, LANES, total);
        if (whole < count) add_products(d, rows, columns, in, factors, whole, (int)(count - whole), total);
#pragma GCC unroll 4
        for (int p = 0; p < (rows + 1) / PAIR; p++)
            in[p] += loops->stride[1];
        factors += count + d->product->skipped_factors;
    }
    dots_finish(d, rows, columns, total);
}

#define DEFINE(rows, columns)                                                                                \
    static void dots_##rows##x##columns(const Dots *dots) {                                                  \
        dots_block(dots, rows, columns);                                                                     \
    }
#define FOR_ROWS(X, columns) X(1, columns) X(2, columns) X(4, columns) X(8, columns)
#define FOR_BLOCKS(X)        FOR_ROWS(X, 1) FOR_ROWS(X, 2) FOR_ROWS(X, 3) FOR_ROWS(X, 4)
FOR_BLOCKS(DEFINE)

typedef void (*DotsFunction)(const Dots *dots);
#define ENTRY(rows, columns) [columns][rows] = dots_##rows##x##columns,
static const DotsFunction dots_functions[MOST_COLUMNS + 1][MOST_ROWS + 1] = {FOR_BLOCKS(ENTRY)};

void product_dots_compute(const Dots *dots, int columns, int64_t count) {
    Dots block = *dots;
    int rows = columns * MOST_ROWS > LANES ? MOST_ROWS / 2 : MOST_ROWS; /* as registers allow */
    for (int64_t left = count; left > 0; left -= rows) {
        while (rows > left)
            rows /= 2;
        dots_functions[columns][rows](&block);
        block.in += rows * block.in_stride;
        block.out += rows * block.out_stride;
        if (block.relu_mask) block.relu_mask += rows * block.out_stride;
    }
}
