/* Digits that are lighter than a dark patch they lie on, such as a disc, on a page of dark writing; or darker
 * than a light patch, on one of light writing. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_REVERSE_H
#define PARDIGITS_DATA_PAGE_REVERSE_H

#include "data/page_parts.h"

/* Holes in the page's ink, by its mask with its lines, that may be such digits; `reversed` marks those that
 * look like digits whatever they lie on. Freed by page_shapes_free. */
PageShapes page_find_reversed(PIX *mask);

/* Moves the digits among them to the page's shapes, in place of their patches. */
void page_add_reversed(PageShapes *shapes, PageShapes *reversed);

/* Moves the digits among the holes that a look at a page found to those of a closer look, which may take
 * their patches for paper; shapes of the closer look that are pieces of the patches are removed. mask,
 * ink, before, from: of the first look; shapes, to: of the closer one. Returns whether there were any. */
bool page_keep_reversed(PIX *mask, PIX *ink, const PageShapes *before, PageShapes *from, PageShapes *shapes,
                        PageShapes *to);

/* The level of the patch that such a shape lies on, in the inverse of the page's ink. */
int page_reversed_level(PIX *inverse, const PageShape *shape);

#endif
