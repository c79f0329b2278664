/* What is done to every image before a model sees it, in training and in use. */
#ifndef PARDIGITS_DATA_PREPROCESS_H
#define PARDIGITS_DATA_PREPROCESS_H

#include "store/image_set.h"

/* Every preprocessing: its name, and what does it (preprocess.c). One line here adds one. */
#define PREPROCESSES(X)                                                                                      \
    X("none", keep_image)                                                                                    \
    X("deskew", deskew_image)                                                                                \
    X("deskew-blur", deskew_and_blur_image)                                                                  \
    X("deskew-centre", deskew_and_centre_image)                                                              \
    X("width", set_width)

/* Their names as the choices of a key: "none|deskew|...". */
#define PREPROCESS_CHOICE(name, apply) "|" name
#define PREPROCESS_CHOICES             (&(PREPROCESSES(PREPROCESS_CHOICE))[1])

/* Applies run.preprocess ("none", "deskew", "deskew-blur", "deskew-centre", "width") to all images of a set,
 * in place. Deterministic; OpenMP. deskew: the shear that makes the figure upright by its second moments,
 * bilinear, rounded to 8 bits. blur: each pixel becomes the mean of 3x3, weighted 1 2 1 in both directions,
 * rounded to 8 bits. centre: the centre of mass moves to the image's middle, in the same resampling as the
 * shear. width: the figure is stretched sideways to 18/28 of the image's columns, centred (Ciresan, Meier &
 * Schmidhuber, "Multi-column deep neural networks for image classification", CVPR 2012). */
void preprocess_images(const char *how, ImageSet *set, int threads);

#endif
