/* Dashed lines, such as those of a printed frame. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_DASHES_H
#define PARDIGITS_DATA_PAGE_DASHES_H

#include "data/page_parts.h"

/* Removes the dashes of level lines of five or more, and of other lines of the same dashes, from the
 * connected parts of a page: they would be taken for pieces of the digits beside them. height: the digits'.
 * Of more than FOUND_SHAPES_MOST parts none is removed. */
void page_remove_dashes(PageShapes *parts, int height);

#endif
