/* A sheet that was photographed askew or at an angle, as seen from above. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_FLAT_H
#define PARDIGITS_DATA_PAGE_FLAT_H

#include "data/found_digits.h"
#include "data/page_sheet.h"

typedef struct {
    PIX *page, *outside; /* grey; 1 where it isn't the sheet */
    l_float32
        *back; /* the projective transform to the part of the page that it was made of; NULL: as it is */
} PageFlat;

/* part: of a page, in grey; outside [as part]: 1 where the sheet isn't. Freed by page_flat_free. */
PageFlat page_flatten(PIX *part, PIX *outside);
void page_flat_free(PageFlat *flat);

/* Moves the places of what was found since the first `before` digits were to where they are on the part. */
void page_flat_back(const PageFlat *flat, FoundDigits *found, int64_t before);

#endif
