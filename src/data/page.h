/* Digits on a page: where they are, in which order they are read, and the image that a model sees of each.
 * Leptonica does the morphology; ours is the choice of what may be a digit, and the normalisation of MNIST's
 * makers. Not collective; thread-safe. Private to src/data. */
#ifndef PARDIGITS_DATA_PAGE_H
#define PARDIGITS_DATA_PAGE_H

#include "data/found_digits.h"

#include <allheaders.h>

/* Adds what may be digits on a page of a picture (8-bit grey or 32-bit RGB) to `found`. */
void page_find_digits(PIX *page, FoundDigits *found);

#endif
