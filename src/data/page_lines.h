/* Lines in a part of a mask. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_LINES_H
#define PARDIGITS_DATA_PAGE_LINES_H

#include "data/page_mask.h"

#include <stdbool.h>

/* Removes from mask the pixels of `lines` but for those where a stroke crosses: there the run of pixels
 * across the line is longer than the line is wide. */
void page_remove_but_crossings(PIX *mask, PIX *lines, bool horizontal, int line_width);

/* Share of a part's columns (rows) that have a pixel in the band along its upper (left, ...) side. */
double page_side_covered(PIX *part, int x, int y, int width, int height);

#endif
