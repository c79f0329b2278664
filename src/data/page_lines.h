/* Lines in a part of a mask. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_LINES_H
#define PARDIGITS_DATA_PAGE_LINES_H

#include "data/page_mask.h"

#include <stdbool.h>

/* Removes from mask the pixels of `lines` but for those where a stroke crosses: there the run of pixels
 * across the line is longer than the line is wide. */
void page_remove_but_crossings(PIX *mask, PIX *lines, bool horizontal, int line_width);

/* Lines of a part that are at least that long, of level (or upright) runs of at least `run` pixels; freed by
 * the caller. */
PIX *page_lines_of_runs(PIX *part, bool horizontal, int least, int run);

/* Removes level and upright lines from a part; strokes that cross them are kept. */
void page_remove_line_pair(PIX *part, PIX *level, PIX *upright);

/* Share of a part's columns (rows) that have a pixel in the band along its upper (left, ...) side. */
double page_side_covered(PIX *part, int x, int y, int width, int height);

#endif
