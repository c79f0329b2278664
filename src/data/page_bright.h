/* The bright parts of a page, among which its sheets are. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_BRIGHT_H
#define PARDIGITS_DATA_PAGE_BRIGHT_H

#include <allheaders.h>

/* Where a page is bright within a mask. */
PIX *page_bright_within(PIX *grey, PIX *mask);

/* Adds to a part what is written on it. */
void page_fill_ink(PIX *part);

/* The larger parts of a mask [as page], at most `most`, with what is written on them; their number. */
int page_large_parts(PIX *mask, PIX **large, int most);

/* A part of a bright mask without what is joined to it by narrow strips only; NULL: nothing is left. */
PIX *page_without_strips(PIX *bright, PIX *part);

/* A part without what is narrow against it. */
PIX *page_without_narrow(PIX *part);

#endif
