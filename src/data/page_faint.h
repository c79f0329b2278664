/* Numbers that are far fainter than the other ink of a page, as one in pencil beside one in black. Private to
 * src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_FAINT_H
#define PARDIGITS_DATA_PAGE_FAINT_H

#include "data/page_parts.h"
#include "store/image_set.h"

/* Shapes in a mask of the faint ink, which may be NULL. dark: the ink is darker than the paper. Freed by
 * page_shapes_free. */
PageShapes page_find_faint(PIX *page, PIX *ink, bool dark, PIX *mask);

/* Moves the numbers among faint shapes to the page's shapes; what else is faint is removed. spec: of the
 * digits' images. */
void page_add_faint(PIX *ink, int level, ImageSpec spec, PageShapes *shapes, PageShapes *faint);

#endif
