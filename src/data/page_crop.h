/* What was cut out of a picture along its outline. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_CROP_H
#define PARDIGITS_DATA_PAGE_CROP_H

#include <allheaders.h>

/* page: in grey. A digit, or a few, with hardly any paper around: such a picture with a margin of paper of
 * *margin pixels on each side, so that its strokes don't run to the page's edge as rules and scanner margins
 * do. NULL if it is any other picture. Freed by pixDestroy. */
PIX *page_with_margin(PIX *page, int *margin);

#endif
