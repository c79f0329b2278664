/* A sheet of paper that lies on a darker ground, such as a desk, or between a scanner's black margins.
 * Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_SHEET_H
#define PARDIGITS_DATA_PAGE_SHEET_H

#include "data/page_mask.h"

/* The mask of the sheet within its box, which is a little smaller than the sheet; NULL if the page shows
 * none. page: in grey. */
PIX *page_find_sheet(PIX *page, PageRect *box);

#endif
