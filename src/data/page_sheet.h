/* Sheets of paper that lie on a darker ground, such as a desk, or between a scanner's black margins.
 * Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_SHEET_H
#define PARDIGITS_DATA_PAGE_SHEET_H

#include "data/page_mask.h"

/* The mask of the sheets, each a little smaller than it is, within their box; NULL if the page shows none.
 * page: in grey. */
PIX *page_find_sheets(PIX *page, PageRect *box);

#endif
