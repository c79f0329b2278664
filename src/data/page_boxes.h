/* Printed boxes out of which digits reach. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_BOXES_H
#define PARDIGITS_DATA_PAGE_BOXES_H

#include <allheaders.h>

/* Removes from a part the boxes of thin lines that make up most of its height; strokes that cross these lines
 * are kept. Returns the boxes' upright lines, freed by the caller; NULL: there are none. */
PIX *page_remove_boxes(PIX *part);

#endif
