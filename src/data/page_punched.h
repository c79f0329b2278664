/* The holes of a page that is bound with a wire or kept in a file. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_PUNCHED_H
#define PARDIGITS_DATA_PAGE_PUNCHED_H

#include <allheaders.h>

/* Where a side of the page has six or more holes in a row, of one size at equal distances: all along it, as
 * holes and wire are like digits; where it has two or more discs of one size: at these. NULL: it has none.
 * Freed by the caller. */
PIX *page_punched_side(PIX *mask);

#endif
