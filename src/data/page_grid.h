/* The cells of grids. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_GRID_H
#define PARDIGITS_DATA_PAGE_GRID_H

#include "data/page_mask.h"

/* Adds the cells of a part, which lies at `place` on the page, if it is a grid, as of a table or a sudoku: of
 * several rows and columns, and with sides. A row of cells isn't one, nor is squared paper, of which the
 * lines reach beyond the last crossings. page: the mask before anything was taken from it. */
void page_add_cells(PIX *part, const PageRect *place, PIX *page, BOXA *cells);

/* The cell in which a box mostly lies; -1: in none. */
int page_cell_of(BOXA *cells, const PageRect *box);

#endif
