/* From a mask of strokes to shapes that may be digits. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_SHAPES_H
#define PARDIGITS_DATA_PAGE_SHAPES_H

#include "data/page_parts.h"

/* The shapes of a mask that have a digit's proportions; dots and solid areas are left out. *pieces are the
 * others, such as dashes, that may belong to a shape. Both are freed by page_shapes_free. */
PageShapes page_find_shapes(PIX *mask, PageShapes *pieces);

#endif
