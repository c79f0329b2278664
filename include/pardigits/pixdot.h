/* Exact dot products between rows of 8-bit pixels: the one kernel under KNN and SVM.
 *
 * Rows are packed once into the layout that the kernel of this build likes best (zero padded; columns that are zero
 * in every row may be dropped by the caller before). Products are 32-bit integers: exact for up to 32,768 columns. */
#ifndef PARDIGITS_PIXDOT_H
#define PARDIGITS_PIXDOT_H

#include <stdint.h>

/* Packed rows. */
typedef struct {
    int64_t rows;
    int columns;     /* as given */
    int64_t stride;  /* bytes of a packed row or of its share of a block */
    void *data;      /* packed values */
    int32_t *norms;  /* [rows] squared length of each row, exact */
} PixRows;

/* Packs rows [rows][columns]; freed by pix_rows_free. */
PixRows pix_rows_new(const uint8_t *pixels, int64_t rows, int columns);
void pix_rows_free(PixRows *packed);

/* out[(i - a_first) * out_stride + (j - b_first)] = dot(a row i, b row j) for i in [a_first, a_first + a_count) and
 * j in [b_first, b_first + b_count). a and b were packed with the same number of columns and may be the same. One
 * thread; call it with blocks from several. */
void pixdot_block(const PixRows *a, int64_t a_first, int64_t a_count, const PixRows *b, int64_t b_first,
                  int64_t b_count, int32_t *out, int64_t out_stride);

/* The name of the kernel that this build uses, such as "avx512-vnni". */
const char *pixdot_kernel_name(void);

#endif
