/* What on a page is light rather than ink. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_LIGHT_H
#define PARDIGITS_DATA_PAGE_LIGHT_H

#include <allheaders.h>

/* Shadows that were removed: their width, and the strongest ink they were taken for. 0: there were none.
 */
typedef struct {
    int width;
    double ink;
} PageLight;

/* Removes shadows, patches of light, and large soft stains from a mask: wide parts of it whose outlines are
 * softer than strokes on the page are wide, or that are far fainter than strokes that cross them. What lies
 * in them goes too, and is found where paper is taken to be what is wider than the result. ink: what the mask
 * was made of. */
PageLight page_remove_light(PIX *ink, PIX *mask);

#endif
