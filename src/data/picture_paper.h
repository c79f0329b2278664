/* Colours and transparency of a decoded picture. Private to src/data. */
#ifndef PARDIGITS_DATA_PICTURE_PAPER_H
#define PARDIGITS_DATA_PICTURE_PAPER_H

#include "data/picture.h"

/* Makes *pix 8-bit grey or 32-bit RGB, with this paper where it is transparent. *pix is NULL after a failure.
 */
void picture_lay_on_paper(PIX **pix, PicturePaper paper);

#endif
