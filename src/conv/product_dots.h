/* The last few columns of a product as dot products: its vectors run along the sum instead of the columns, so
 * that no lanes lie idle. Worth it where columns % LANES is small and summands lie side by side. */
#ifndef PARDIGITS_CONV_PRODUCT_DOTS_H
#define PARDIGITS_CONV_PRODUCT_DOTS_H

#include "conv/product.h"

/* A line of rows. in, out, relu_mask (or NULL): of the first row, out and relu_mask of the first of these
 * columns, as is start (NULL: added to what is in out). */
typedef struct {
    const Product *product;
    const float *in, *start, *relu_mask;
    const float *factors;  /* [columns][factor_stride], the first summand's */
    int64_t factor_stride; /* between columns */
    float *out;
    int64_t in_stride, out_stride; /* between rows */
} Dots;

/* Rows [0, count) of 1 to LANES / 4 columns. The sum's outermost loop is 1 long, its innermost has stride 1.
 */
void product_dots_compute(const Dots *dots, int columns, int64_t count);

#endif
