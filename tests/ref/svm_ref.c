#include "ref/svm_ref.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double ref_svm_kernel(const SvmKernel *kernel, const uint8_t *u, const uint8_t *v, int columns) {
    double sum = 0, length_u = 0, length_v = 0;
    for (int c = 0; c < columns; c++) {
        length_u += u[c] * u[c];
        length_v += v[c] * v[c];
    }
    double scale_u = kernel->normalize ? 1 / sqrt(length_u) : 1 / 255.0;
    double scale_v = kernel->normalize ? 1 / sqrt(length_v) : 1 / 255.0;
    for (int c = 0; c < columns; c++) {
        double a = u[c] * scale_u, b = v[c] * scale_v;
        sum += kernel->type == SVM_RBF ? (a - b) * (a - b) : a * b;
    }
    if (kernel->type == SVM_RBF) return exp(-kernel->gamma * sum);
    if (kernel->type == SVM_POLY) return pow(kernel->gamma * sum + kernel->coef0, kernel->degree);
    return sum;
}

RefSvmRows ref_svm_rows_new(const SvmKernel *kernel, const uint8_t *images, int64_t n, int columns) {
    RefSvmRows rows = {.n = n, .matrix = mem_new((size_t)(n * n), sizeof(float)), .count = n};
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            rows.matrix[i * n + j] = rows.matrix[j * n + i] =
                (float)ref_svm_kernel(kernel, images + i * columns, images + j * columns, columns);
    return rows;
}

void ref_svm_rows_free(RefSvmRows *rows) {
    mem_free(rows->matrix);
    *rows = (RefSvmRows){0};
}

static void select_columns(void *context, const int32_t *columns, int64_t count) {
    RefSvmRows *rows = context;
    rows->selected = columns;
    rows->count = count;
}

static void compute(void *context, const int32_t *row, int count, float *const *out) {
    const RefSvmRows *rows = context;
    for (int r = 0; r < count; r++)
        for (int64_t k = 0; k < rows->count; k++)
            out[r][k] = rows->matrix[row[r] * rows->n + (rows->selected ? rows->selected[k] : k)];
}

SvmRows ref_svm_rows(RefSvmRows *rows) {
    return (SvmRows){rows, select_columns, compute};
}
