/* Features of images: the edges of strokes, by place and direction. */
#ifndef PARDIGITS_DATA_GRADIENT_H
#define PARDIGITS_DATA_GRADIENT_H

#include "store/image_set.h"

#include <stdint.h>

enum { GRADIENT_DIRECTIONS = 16 };

/* Makes features [n][height / 4][width / 4][16] of images [n][height][width] in place (what is left of an
 * image's place becomes 0): how much of the strokes' edges lies in each cell and direction; 28x28 pixels have
 * 7x7 cells. Gradients by Sobel's operator, each divided between the two nearest of 16 directions by the
 * parallelogram law, are summed with Gaussian weights (deviation 1.8 pixels, in 64ths) around the cells'
 * centres, 3.5 pixels apart; the features are the square roots, scaled so that an image's largest is 255
 * (Liu, Nakashima, Sako & Fujisawa, "Handwritten digit recognition: benchmarking of state-of-the-art
 * techniques", Pattern Recognition 36, 2003, who took 5x5 cells and 8 directions). Exact in whole numbers up
 * to the root; OpenMP. */
void gradient_features(ImageSpec spec, uint8_t *images, int64_t n, int threads);

#endif
