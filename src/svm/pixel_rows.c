#include "svm/pixel_rows.h"

#include "core/integers.h"
#include "core/mem.h"

#include <string.h>

enum { CHUNK = 1024 }; /* columns that a thread computes at a time */

/* Packs the images of samples columns[count]; of all samples 0..count if columns is NULL. */
static PixRows pack(const PixelRows *rows, const int32_t *columns, int64_t count) {
    const int64_t each = rows->pixels;
    uint8_t *pixels = mem_new((size_t)count, (size_t)each);
    for (int64_t k = 0; k < count; k++) {
        int64_t image = rows->index[columns ? columns[k] : k];
        memcpy(pixels + k * each, rows->images + image * each, (size_t)each);
    }
    PixRows packed = pix_rows_new(pixels, count, rows->pixels);
    mem_free(pixels);
    return packed;
}

void pixel_rows_init(PixelRows *rows) {
    rows->whole = pack(rows, NULL, rows->n);
    rows->whole_inverses = svm_kernel_inverses(rows->kernel, rows->whole.norms, rows->n);
    rows->count = rows->n;
}

void pixel_rows_free(PixelRows *rows) {
    pix_rows_free(&rows->whole);
    pix_rows_free(&rows->part);
    mem_free(rows->whole_inverses);
    mem_free(rows->part_inverses);
    *rows = (PixelRows){0};
}

static void select_columns(void *context, const int32_t *columns, int64_t count) {
    PixelRows *rows = context;
    rows->columns = columns;
    rows->count = count;
    rows->packed = NULL;
}

/* A call of compute, cut into chunks of columns. */
typedef struct {
    const PixelRows *rows;
    int64_t row[SVM_BLOCK_ROWS];
    int count;
    float *const *out;
} Block;

static void compute_chunk(void *context, int64_t chunk) {
    const Block *block = context;
    const PixelRows *rows = block->rows;
    int64_t first = chunk * CHUNK, columns = rows->count - first < CHUNK ? rows->count - first : CHUNK;
    int32_t dots[SVM_BLOCK_ROWS * CHUNK];
    const SvmLengths whole = {rows->whole.norms, rows->whole_inverses};
    const SvmLengths selected =
        rows->packed == &rows->whole ? whole : (SvmLengths){rows->part.norms, rows->part_inverses};
    pixdot_rows(&rows->whole, block->row, block->count, rows->packed, first, columns, dots, CHUNK);
    for (int r = 0; r < block->count; r++)
        svm_kernel_values(rows->kernel, svm_lengths_from(whole, block->row[r]),
                          svm_lengths_from(selected, first), dots + r * CHUNK, block->out[r] + first,
                          columns);
}

static void compute(void *context, const int32_t *row, int count, float *const *out) {
    PixelRows *rows = context;
    if (!rows->packed && rows->count < rows->n) {
        pix_rows_free(&rows->part);
        mem_free(rows->part_inverses);
        rows->part = pack(rows, rows->columns, rows->count);
        rows->part_inverses = svm_kernel_inverses(rows->kernel, rows->part.norms, rows->count);
    }
    rows->packed = rows->count < rows->n ? &rows->part : &rows->whole;
    Block block = {.rows = rows, .count = count, .out = out};
    for (int r = 0; r < count; r++)
        block.row[r] = row[r];
    pair_workers_run(rows->workers, rows->thread, compute_chunk, &block, divide_up(rows->count, CHUNK));
}

SvmRows pixel_rows_source(PixelRows *rows) {
    return (SvmRows){rows, select_columns, compute};
}

void pixel_rows_diagonal(const PixelRows *rows, float *out) {
    const SvmLengths whole = {rows->whole.norms, rows->whole_inverses};
    for (int64_t i = 0; i < rows->n; i++) {
        SvmLengths own = svm_lengths_from(whole, i);
        svm_kernel_values(rows->kernel, own, own, own.norms, out + i, 1);
    }
}
