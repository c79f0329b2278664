/* Lines under numbers, and combs. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_COMB_H
#define PARDIGITS_DATA_PAGE_COMB_H

#include <allheaders.h>

/* Removes from a part a line under a number, also with the teeth of a comb, of which those between its ends
 * may be lower; a box that is open at the top is kept. */
void page_remove_underline(PIX *part);

#endif
