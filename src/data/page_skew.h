/* Ruled pages that were photographed or scanned askew. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_SKEW_H
#define PARDIGITS_DATA_PAGE_SKEW_H

#include "data/found_digits.h"

#include <allheaders.h>
#include <stdbool.h>

/* The angle in radians, clockwise, by which a page in grey has to be turned to make its rules level; 0 if it
 * has none, or they are level. dark: its ink is darker than its paper. */
double page_find_skew(PIX *page, bool dark);

/* Turns a page about its middle; *outside [as page]: 1 where there can't be ink, to which the corners are
 * added; *outside may be NULL. Both are replaced. */
void page_turn(PIX **page, PIX **outside, double angle);

/* Moves the places of what was found since the first `before` digits were to where they are on the page as it
 * was, of width x height pixels. */
void page_turn_back(FoundDigits *found, int64_t before, int width, int height, double angle);

#endif
