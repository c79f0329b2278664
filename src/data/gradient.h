/* Features of images: the edges of strokes, by place and direction. */
#ifndef PARDIGITS_DATA_GRADIENT_H
#define PARDIGITS_DATA_GRADIENT_H

#include "store/dataset.h"

#include <stdint.h>

enum { GRADIENT_CELLS = 7, GRADIENT_DIRECTIONS = 16 };

/* Makes features [n][7][7][16] of images [n][28][28] in place: how much of the strokes' edges lies in each
 * cell and direction. Gradients by Sobel's operator, each divided between the two nearest of 16 directions by
 * the parallelogram law, are summed with Gaussian weights (deviation 1.8 pixels, in 64ths) around the cells'
 * centres; the features are the square roots, scaled so that an image's largest is 255 (Liu, Nakashima, Sako
 * & Fujisawa, "Handwritten digit recognition: benchmarking of state-of-the-art techniques", Pattern
 * Recognition 36, 2003, who took 5x5 cells and 8 directions). Exact in whole numbers up to the root; uses
 * OpenMP. */
void gradient_features(uint8_t *images, int64_t n);

#endif
