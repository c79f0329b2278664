/* What is done to every image before a model sees it, in training and in use. */
#ifndef PARDIGITS_DATA_PREPROCESS_H
#define PARDIGITS_DATA_PREPROCESS_H

#include "store/dataset.h"

#include <stdint.h>

/* Applies run.preprocess ("none", "deskew", "deskew-blur", "deskew-centre", "width") to images [n][28][28] in
 * place. Deterministic; uses OpenMP. deskew: the shear that makes the digit upright by its second moments,
 * bilinear, rounded to 8 bits. blur: each pixel becomes the mean of 3x3, weighted 1 2 1 in both directions,
 * rounded to 8 bits. centre: the centre of mass moves to the image's middle, in the same resampling as the
 * shear. width: the digit is stretched sideways to 18 columns, whose middle moves to the image's (Ciresan,
 * Meier & Schmidhuber, "Multi-column deep neural networks for image classification", CVPR 2012). */
void preprocess_images(const char *how, uint8_t *images, int64_t n);

#endif
