/* Dots right below strokes, as exclamation and question marks have them. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_DOTS_H
#define PARDIGITS_DATA_PAGE_DOTS_H

#include "data/page_parts.h"

/* Marks the parts of a page that have such a dot: about as wide as their strokes, and in line with their
 * lower end. */
void page_mark_dotted(PageShapes *parts);

#endif
