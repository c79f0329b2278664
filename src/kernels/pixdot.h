/* Exact dot products between rows of 8-bit pixels: the one kernel under KNN and SVM.
 *
 * Rows are packed once into the layout that the kernel of this build likes best (zero padded; columns that
 * are zero in every row may be dropped by the caller before). Products are 32-bit integers: exact, because a
 * row has at most PIXDOT_MAX_COLUMNS columns and 255 * 255 * 32768 < 2^31. Nothing here starts threads or
 * communicates. */
#ifndef PARDIGITS_KERNELS_PIXDOT_H
#define PARDIGITS_KERNELS_PIXDOT_H

#include <stdint.h>

enum { PIXDOT_MAX_COLUMNS = 32768 };

/* Packed rows. */
typedef struct {
    int64_t rows;
    int columns;         /* as given */
    int64_t panel_bytes; /* the rows lie in panels of as many rows as a vector has lanes */
    int64_t line_bytes;  /* columns rounded up to what any kernel takes at once */
    uint8_t *data;       /* [panels][columns in groups][lanes][group] */
    uint8_t *lines;      /* [rows][line_bytes] row by row too, where the kernel wants it; else NULL */
    int32_t *norms;      /* [rows] squared length of each row, exact */
    int32_t *starts;     /* [panels][lanes] what the kernel's sums start from */
} PixRows;

/* Packs pixels [rows][columns]; 0 <= columns <= PIXDOT_MAX_COLUMNS (more is fatal). Freed by pix_rows_free.
 */
PixRows pix_rows_new(const uint8_t *pixels, int64_t rows, int columns);
void pix_rows_free(PixRows *packed);

/* out[(i - a_first) * out_stride + (j - b_first)] = dot(a row i, b row j) for i in [a_first, a_first +
 * a_count) and j in [b_first, b_first + b_count). a and b were packed with the same number of columns and may
 * be the same. One thread; call it with blocks from several. Fastest with a_count a multiple of 32, and
 * b_count too; the rows of b stay in the second-level cache up to about 1,000 of 784 columns. */
void pixdot_block(const PixRows *a, int64_t a_first, int64_t a_count, const PixRows *b, int64_t b_first,
                  int64_t b_count, int32_t *out, int64_t out_stride);

/* The same for chosen rows of a: out[i * out_stride + (j - b_first)] = dot(a row a_rows[i], b row j), at the
 * same speed. a_rows[a_count], in any order, repetitions allowed. */
void pixdot_rows(const PixRows *a, const int64_t *a_rows, int64_t a_count, const PixRows *b, int64_t b_first,
                 int64_t b_count, int32_t *out, int64_t out_stride);

/* The name of the kernel that this build uses, such as "avx512-vnni". */
const char *pixdot_kernel_name(void);

#endif
