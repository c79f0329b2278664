/* Digits of MNIST for tests. */
#ifndef PARDIGITS_TESTS_REF_REF_DIGITS_H
#define PARDIGITS_TESTS_REF_REF_DIGITS_H

#include "store/dataset.h"

#include <stdint.h>

/* The first `per_digit` images each of some digits of a part of MNIST ("train" or "t10k"), digit by digit in
 * the order of `digits`, or with per_digit 0 the first `total` images of any of them. From MNIST_DIR, default
 * data/mnist; an empty set if they can't be read. Freed by image_set_free. */
ImageSet ref_digits(const char *name, const char *digits, int64_t per_digit, int64_t total);

/* The same images at another height and width: each pixel the nearest one of the original. Freed by
 * image_set_free. */
ImageSet ref_resized(const ImageSet *set, int height, int width);

#endif
