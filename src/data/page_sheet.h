/* Sheets of paper that lie on a darker ground, such as a desk, or between a scanner's black margins.
 * Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_SHEET_H
#define PARDIGITS_DATA_PAGE_SHEET_H

#include "data/page_mask.h"

enum { PAGE_MOST_SHEETS = 9 }; /* each is a twentieth of the page or more */

typedef struct {
    int x[4], y[4]; /* clockwise from the upper left one */
} PageCorners;

/* A mask of each sheet, a little smaller than that is, within its box; in reading order. Freed by
 * page_sheets_free. */
typedef struct {
    int count;
    PIX *masks[PAGE_MOST_SHEETS];
    PageRect boxes[PAGE_MOST_SHEETS];
} PageSheets;

/* page: in grey. */
PageSheets page_find_sheets(PIX *page);
void page_sheets_free(PageSheets *sheets);

/* The page with the ground's light in place of its sheets and what is close to them; *outside: where that is.
 * Both are freed by the caller. NULL where the sheets cover half of the page or more. */
PIX *page_without_sheets(PIX *page, const PageSheets *sheets, PIX **outside);

/* Of a sheet's mask, in its pixels. */
PageCorners page_sheet_corners(PIX *mask);

#endif
