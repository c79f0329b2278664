/* The matrix product behind all three passes of a convolution, without copies of the image:
 *
 *     out[row][column] = start[column] + sum over k of in[row + k] * factors[k][column]
 *
 * where `row` and `k` each run over three nested loops, so that their places in `in` are sums of strides.
 * Every element is summed in the order of k, one multiply-add after the other, whatever its block: its bits
 * depend on its own inputs alone. */
#ifndef PARDIGITS_CONV_PRODUCT_H
#define PARDIGITS_CONV_PRODUCT_H

#include <stdint.h>

/* Three nested loops, the last the innermost. */
typedef struct {
    int64_t count[3];
    int64_t stride[3]; /* floats between neighbours in the input */
} Loops;

typedef struct {
    Loops rows, sum;
    int64_t out_stride[3]; /* floats between neighbouring rows in the output */
    int columns;
    const float *in;
    const float *factors;
    int64_t packed_length;   /* not 0: factors were packed by product_pack with this length and */
    int64_t packed_run;      /* this run; */
    int64_t first_factor;    /* the sum begins with this one */
    int64_t skipped_factors; /* and leaves out so many after each innermost loop */
    /* or else factors lie so many floats apart and are read up to whole vectors; after each innermost loop,
     * and after each middle one, so many more are skipped */
    int64_t factor_stride, factor_line_skip, factor_image_skip;
    const float *start;     /* [columns, rounded up to whole vectors], or NULL: added to what is in out */
    int relu;               /* out = max(sum, 0) */
    const float *relu_mask; /* laid out like out, or NULL: where it isn't above 0, out becomes 0 */
    float *out;
} Product;

/* columns rounded up to whole vectors. */
int product_round_up(int columns);

/* Packs summands [first_k, first_k + count) of `length` for the factors of a product: element [k][column] is
 * at from + k * k_stride + column * column_stride. So many as `run` of them lie side by side in the input, at
 * most. packed has length * product_round_up(columns) floats. */
void product_pack(int64_t length, int64_t run, int columns, int64_t first_k, int64_t count, const float *from,
                  int64_t k_stride, int64_t column_stride, float *packed);

/* Where product_pack puts a column of whole vectors: summand k at begin + k * step. */
typedef struct {
    int64_t begin, step;
} PackedColumn;
PackedColumn product_packed_column(int64_t length, int columns, int column);

void product_compute(const Product *product);

#endif
