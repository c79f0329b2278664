/* From a mask of strokes to shapes that may be digits, in reading order. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_PARTS_H
#define PARDIGITS_DATA_PAGE_PARTS_H

#include "data/page_mask.h"

/* Some parts of a mask that make one shape. */
typedef struct {
    PageRect box;
    int area;         /* pixels */
    int line, number; /* counted on the page; digits of a number stand close together */
    PIX *mask;        /* of the box */
} PageShape;

typedef struct {
    int count, room;
    PageShape *shapes; /* [count] */
} PageShapes;

/* The shapes of a mask that have a digit's proportions; dots, dashes and solid areas are left out. Freed by
 * page_shapes_free. */
PageShapes page_find_shapes(PIX *mask);
void page_shapes_free(PageShapes *shapes);

/* Puts them in reading order and gives each its line and number. */
void page_order_shapes(PageShapes *shapes);

#endif
