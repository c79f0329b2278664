/* What is drawn on a page beside its digits. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_DRAWN_H
#define PARDIGITS_DATA_PAGE_DRAWN_H

#include "data/page_parts.h"

/* Removes edges of sheets, circles and drawings of thin lines that have digits in or beside them. */
void page_remove_drawings(PageShapes *shapes);

/* Removes rings around numbers, edges of notes, and the bars of fractions. Before, specks are removed. */
void page_remove_enclosures(PageShapes *shapes);

#endif
