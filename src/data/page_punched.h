/* The side of a page along which it is bound, with holes for a wire. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_PUNCHED_H
#define PARDIGITS_DATA_PAGE_PUNCHED_H

#include <allheaders.h>

/* Where a side of the page has holes in a row, discs of one size at equal distances: there, holes and wire
 * are like digits. NULL: it has none. Freed by the caller. */
PIX *page_punched_side(PIX *mask);

#endif
