/* Slightly changed images: what a model isn't as sure of as of the image itself, it hasn't really seen. */
#ifndef PARDIGITS_DATA_VIEWS_H
#define PARDIGITS_DATA_VIEWS_H

#include "store/image_set.h"

#include <stdint.h>

enum { VIEWS = 8 };

/* [n][VIEWS][height][width] of images [n][height][width]: turned, sheared, narrower, smaller and larger about
 * the middle. Freed by mem_free. OpenMP. */
uint8_t *views_make(const uint8_t *images, int64_t n, ImageSpec spec);

#endif
