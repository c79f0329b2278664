/* Plain SVM: kernels in double, straight from pixels. */
#ifndef PARDIGITS_TESTS_REF_SVM_REF_H
#define PARDIGITS_TESTS_REF_SVM_REF_H

#include "store/dataset.h"
#include "svm/svm.h"

#include <stdint.h>

/* K(u, v) of two images [columns] of 8-bit pixels. */
double ref_svm_kernel(const SvmKernel *kernel, const uint8_t *u, const uint8_t *v, int columns);

/* Kernel values of n samples, computed one by one beforehand. */
typedef struct {
    int64_t n;
    float *matrix;           /* [n][n] */
    const int32_t *selected; /* [count], NULL for all */
    int64_t count;
} RefSvmRows;

/* Of images [n][columns]. Freed by ref_svm_rows_free. */
RefSvmRows ref_svm_rows_new(const SvmKernel *kernel, const uint8_t *images, int64_t n, int columns);
void ref_svm_rows_free(RefSvmRows *rows);

/* A solver's source of rows. */
SvmRows ref_svm_rows(RefSvmRows *rows);

#endif
