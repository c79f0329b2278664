#include "svm/gram_rows.h"

#include "core/mem.h"

#include <string.h>

GramRows gram_rows_new(const SvmKernel *kernel, const ImageSet *images, const int32_t *index, int64_t n,
                       int64_t others, int64_t bytes) {
    GramRows rows = {.kernel = kernel, .n = n, .others = others};
    const int64_t all = n + others, each = image_spec_pixels(images->spec);
    uint8_t *pixels = mem_new((size_t)all, (size_t)each);
    for (int64_t k = 0; k < all; k++)
        memcpy(pixels + k * each, images->images + index[k] * each, (size_t)each);
    rows.packed = pix_rows_new(pixels, all, (int)each);
    mem_free(pixels);
    rows.inverses = svm_kernel_inverses(kernel, rows.packed.norms, all);
    rows.dots = mem_new((size_t)n, sizeof *rows.dots);
    rows.rows_left = bytes / (all * (int64_t)sizeof(int32_t));
    rows.scratch = mem_new((size_t)(SVM_BLOCK_ROWS * all), sizeof *rows.scratch);
    rows.column_norms = mem_new((size_t)n, sizeof *rows.column_norms);
    rows.column_dots = mem_new((size_t)n, sizeof *rows.column_dots);
    rows.column_inverses = mem_new((size_t)n, sizeof *rows.column_inverses);
    return rows;
}

void gram_rows_free(GramRows *rows) {
    for (int64_t i = 0; i < rows->n; i++)
        mem_free(rows->dots[i]);
    pix_rows_free(&rows->packed);
    mem_free(rows->inverses);
    mem_free(rows->dots);
    mem_free(rows->scratch);
    mem_free(rows->column_norms);
    mem_free(rows->column_dots);
    mem_free(rows->column_inverses);
    *rows = (GramRows){0};
}

/* found[r] = the products of sample row[r] with all columns; valid until the next call. */
static void find_dots(GramRows *rows, const int32_t *row, int count, const int32_t **found) {
    int64_t all = rows->n + rows->others, missing[SVM_BLOCK_ROWS];
    int place[SVM_BLOCK_ROWS], absent = 0;
    for (int r = 0; r < count; r++) {
        found[r] = rows->dots[row[r]];
        if (found[r]) continue;
        place[absent] = r;
        missing[absent++] = row[r];
    }
    if (absent == 0) return;
    pixdot_rows(&rows->packed, missing, absent, &rows->packed, 0, all, rows->scratch, all);
    for (int a = 0; a < absent; a++) {
        int32_t *dots = rows->scratch + a * all;
        if (rows->rows_left > 0) {
            rows->rows_left--;
            dots = rows->dots[missing[a]] = mem_copy(dots, (size_t)all * sizeof *dots);
        }
        found[place[a]] = dots;
    }
}

static void select_columns(void *context, const int32_t *columns, int64_t count) {
    GramRows *rows = context;
    rows->columns = columns;
    rows->count = count;
    for (int64_t k = 0; k < count; k++) {
        rows->column_norms[k] = rows->packed.norms[columns[k]];
        if (rows->inverses) rows->column_inverses[k] = rows->inverses[columns[k]];
    }
}

static SvmLengths lengths_of(const GramRows *rows) {
    return (SvmLengths){rows->packed.norms, rows->inverses};
}

static void compute(void *context, const int32_t *row, int count, float *const *out) {
    GramRows *rows = context;
    const int32_t *dots[SVM_BLOCK_ROWS];
    const SvmLengths columns = {rows->column_norms, rows->inverses ? rows->column_inverses : NULL};
    find_dots(rows, row, count, dots);
    for (int r = 0; r < count; r++) {
        for (int64_t k = 0; k < rows->count; k++)
            rows->column_dots[k] = dots[r][rows->columns[k]];
        svm_kernel_values(rows->kernel, svm_lengths_from(lengths_of(rows), row[r]), columns,
                          rows->column_dots, out[r], rows->count);
    }
}

SvmRows gram_rows_source(GramRows *rows) {
    return (SvmRows){rows, select_columns, compute};
}

void gram_rows_diagonal(const GramRows *rows, float *out) {
    for (int64_t i = 0; i < rows->n; i++) {
        SvmLengths own = svm_lengths_from(lengths_of(rows), i);
        svm_kernel_values(rows->kernel, own, own, own.norms, out + i, 1);
    }
}

void gram_rows_decide(GramRows *rows, const double *coefficient, double rho, double *decision) {
    float *values = mem_new((size_t)rows->others, sizeof *values);
    const SvmLengths others = svm_lengths_from(lengths_of(rows), rows->n);
    for (int64_t k = 0; k < rows->others; k++)
        decision[k] = -rho;
    for (int64_t i = 0; i < rows->n;) {
        int32_t block[SVM_BLOCK_ROWS];
        const int32_t *dots[SVM_BLOCK_ROWS];
        int count = 0;
        for (; i < rows->n && count < SVM_BLOCK_ROWS; i++)
            if (coefficient[i] != 0) block[count++] = (int32_t)i;
        find_dots(rows, block, count, dots);
        for (int r = 0; r < count; r++) {
            svm_kernel_values(rows->kernel, svm_lengths_from(lengths_of(rows), block[r]), others,
                              dots[r] + rows->n, values, rows->others);
            for (int64_t k = 0; k < rows->others; k++)
                decision[k] += coefficient[block[r]] * (double)values[k];
        }
    }
    mem_free(values);
}
