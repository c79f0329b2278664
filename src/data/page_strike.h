/* Whether a shape is struck out. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_STRIKE_H
#define PARDIGITS_DATA_PAGE_STRIKE_H

#include "data/page_mask.h"

/* Whether one thin line, or two, run through the middle of a shape, one digit or several, and end beyond it
 * on both sides. */
bool page_is_struck_out(PIX *mask);

#endif
