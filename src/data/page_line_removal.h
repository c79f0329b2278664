/* The removal of printed lines from a page. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_LINE_REMOVAL_H
#define PARDIGITS_DATA_PAGE_LINE_REMOVAL_H

#include "data/page_mask.h"

/* What is known of the cells on a page. */
typedef struct {
    PIX *borders; /* a mask of the upright lines of frames and cells */
    BOXA *grids;  /* the cells of what has several rows and columns of them */
} PageCells;

/* Removes rules, frames, cells, and the edges of a scan or a sheet; what crosses a removed line is kept.
 * ink: what the mask was made of. *rules: the courses of all rules, NULL where the page isn't ruled; freed by
 * the caller. */
PageCells page_remove_lines(PIX **mask, PIX *ink, PIX **rules);

void page_cells_free(PageCells *cells);

#endif
