/* What a shape's outline is on its page: ink, a shade's or a stain's. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_EDGE_H
#define PARDIGITS_DATA_PAGE_EDGE_H

#include "data/page_parts.h"

#include <stdbool.h>

/* Removes the shapes that the page around them resembles: the paper between dots, which is seen as ink where
 * ink and paper are taken for each other, and shades without an edge. page: in grey; ink:
 * what was seen of it as dark, or as light, ink. */
void page_drop_without_edge(PIX *page, PIX *ink, bool dark, PageShapes *shapes);

/* Marks the outlines of stains, such as of coffee: they are like a 0. */
void page_mark_stains(PIX *page, bool dark, PageShapes *shapes);

#endif
