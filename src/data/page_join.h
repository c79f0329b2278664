/* Pieces that may be one digit: a pen leaves gaps, and a threshold or a removed rule tears strokes. A model
 * decides whether to read them as one. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_JOIN_H
#define PARDIGITS_DATA_PAGE_JOIN_H

#include "data/found_digits.h"
#include "data/page_parts.h"

/* Shapes, and pieces too small to be one, that lie close together. */
typedef struct {
    PageShape whole;
    int count, shapes[FOUND_JOINED]; /* numbers of its shapes; the pieces aren't counted */
} PageJoin;

typedef struct {
    int count;
    PageJoin *joins; /* [count] */
} PageJoins;

/* Of shapes in reading order and further pieces: each two that are near, and each group of three or four.
 * None where a page has too many. Freed by page_joins_free. */
PageJoins page_find_joins(const PageShapes *shapes, const PageShapes *pieces);
void page_joins_free(PageJoins *joins);

#endif
