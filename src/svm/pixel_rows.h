/* Kernel rows between the images of one problem, from exact integer dot products. */
#ifndef PARDIGITS_SVM_PIXEL_ROWS_H
#define PARDIGITS_SVM_PIXEL_ROWS_H

#include "kernels/pixdot.h"
#include "svm/pair_workers.h"
#include "svm/svm.h"

#include <stdint.h>

typedef struct {
    const SvmKernel *kernel;
    const uint8_t *images; /* [][pixels] */
    int pixels;            /* of an image */
    const int32_t *index;  /* [n] which image a sample is */
    int64_t n;
    PairWorkers *workers; /* helps with the columns of a block */
    int thread;           /* of the solver, in the pair workers */
    PixRows whole, part; /* packed: all samples; the selected ones, when these are fewer and were asked for */
    double *whole_inverses, *part_inverses; /* lengths of both, as the kernel wants them */
    const PixRows *packed;  /* whichever holds the selected columns, NULL until they are needed */
    const int32_t *columns; /* [count] as selected */
    int64_t count;
} PixelRows;

/* All `n` samples of `rows` selected: kernel, images, pixels, index, n, workers and thread are set, and stay
 * the caller's. Freed by pixel_rows_free. */
void pixel_rows_init(PixelRows *rows);
void pixel_rows_free(PixelRows *rows);

/* The solver's interface to them. */
SvmRows pixel_rows_source(PixelRows *rows);

/* out[i] = K(i, i) for all samples. */
void pixel_rows_diagonal(const PixelRows *rows, float *out);

#endif
