/* From a shape on a page to images of digits. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_GLYPH_H
#define PARDIGITS_DATA_PAGE_GLYPH_H

#include "data/found_digits.h"
#include "data/page_parts.h"

/* Adds the ways to read a shape: as one digit, and as two to four that touch. A shape that is narrower than
 * high is cut only where the gate isn't sure that it is one digit, and thinks that both parts are. ink: of
 * the page, whose paper has `level`. digit: its place on the page is set, but for the box. scale: from the
 * ink's pixels to those of the page, for its box. */
void page_read_shape(PIX *ink, int level, const PageShape *shape, FoundDigit digit, double scale,
                     FoundDigits *found);

/* Adds the reading of a shape as one digit. */
void page_read_as_one(PIX *ink, int level, const PageShape *shape, FoundDigit digit, double scale,
                      FoundDigits *found);

/* Which digit a shape as a whole most likely is by the gate; -1 where it has less than these log odds or the
 * gate doesn't know such images. */
int page_likely_digit(PIX *ink, int level, const PageShape *shape, ImageSpec spec, float least);

/* How many shapes are digits beyond doubt; 0 where only a model can tell. */
int64_t page_sure_digits(const FoundDigits *found);

/* Appends the readings of the numbers most of whose shapes are digits that together are beyond doubt, and not
 * only strokes. */
void page_append_sure_numbers(const FoundDigits *from, FoundDigits *found);

#endif
