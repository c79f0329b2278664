/* Plain SVM: kernels in double, straight from pixels. */
#ifndef REF_SVM_H
#define REF_SVM_H

#include "pardigits/dataset.h"
#include "pardigits/svm.h"

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

/* The first `per_digit` images each of some digits of a part of MNIST ("train" or "t10k"), digit by digit in
 * the order of `digits`, or with per_digit 0 the first `total` images of any of them. From MNIST_DIR, default
 * data/mnist; an empty set if they can't be read. Freed by image_set_free. */
ImageSet ref_svm_digits(const char *name, const char *digits, int64_t per_digit, int64_t total);

#endif
