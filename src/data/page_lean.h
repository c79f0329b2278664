/* How the ink of a shape lies around a slanted line. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_LEAN_H
#define PARDIGITS_DATA_PAGE_LEAN_H

#include <allheaders.h>

typedef struct {
    double lean;   /* pixels to the right per pixel up */
    double spread; /* to either side of the line: about 1 of a straight stroke, more with a flag or a base */
} PageLean;

/* mask: isn't empty */
PageLean page_lean_of(PIX *mask);

#endif
