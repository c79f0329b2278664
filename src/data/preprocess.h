/* What is done to every image before a model sees it, in training and in use. */
#ifndef PARDIGITS_DATA_PREPROCESS_H
#define PARDIGITS_DATA_PREPROCESS_H

#include "store/image_set.h"

/* Applies run.preprocess ("none", "deskew", "deskew-blur", "deskew-centre", "width") to all images of a set,
 * in place. Deterministic; OpenMP. deskew: the shear that makes the figure upright by its second moments,
 * bilinear, rounded to 8 bits. blur: each pixel becomes the mean of 3x3, weighted 1 2 1 in both directions,
 * rounded to 8 bits. centre: the centre of mass moves to the image's middle, in the same resampling as the
 * shear. width: the figure is stretched sideways to 18/28 of the image's columns, centred (Ciresan, Meier &
 * Schmidhuber, "Multi-column deep neural networks for image classification", CVPR 2012). */
void preprocess_images(const char *how, ImageSet *set, int threads);

#endif
