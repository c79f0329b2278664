/* Colours and transparency of a decoded picture. Private to src/data. */
#ifndef PARDIGITS_DATA_PICTURE_PAPER_H
#define PARDIGITS_DATA_PICTURE_PAPER_H

#include <allheaders.h>

/* Makes *pix 8-bit grey or 32-bit RGB. Where it is transparent its paper shows: the ground of what is opaque,
 * or, where that is ink alone, white under dark ink and black under light ink. *pix is NULL after a failure.
 */
void picture_lay_on_paper(PIX **pix);

#endif
