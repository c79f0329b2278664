/* The order in which shapes on a page are read. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_ORDER_H
#define PARDIGITS_DATA_PAGE_ORDER_H

#include "data/page_line_removal.h"
#include "data/page_parts.h"

/* Puts them in reading order and gives each its line, number and word. pieces: what isn't among the shapes.
 */
void page_order_shapes(PageShapes *shapes, const PageShapes *pieces, const PageCells *cells);

#endif
