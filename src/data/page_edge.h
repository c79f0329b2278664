/* Whether a shape has an outline on its page. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_EDGE_H
#define PARDIGITS_DATA_PAGE_EDGE_H

#include "data/page_parts.h"

#include <stdbool.h>

/* Removes the shapes that the page around them resembles: the paper between dots, which is seen as ink where
 * ink and paper are taken for each other, and shades without an edge. page: in grey; ink:
 * what was seen of it as dark, or as light, ink. */
void page_drop_without_edge(PIX *page, PIX *ink, bool dark, PageShapes *shapes);

#endif
