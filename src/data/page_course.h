/* Whether a shape is a piece of a rule. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_COURSE_H
#define PARDIGITS_DATA_PAGE_COURSE_H

#include "data/page_parts.h"

/* Removes slim, straight shapes of which the line goes on beyond both ends, nearly as dark: they are pieces
 * of a rule that is too faint to be seen in full. A digit ends where its stroke does, also on a rule, which
 * is paler. ink: as the page was seen; outside [as ink]: 1 where it isn't the sheet; may be NULL. */
void page_drop_pieces_of_rules(PIX *ink, PIX *outside, PageShapes *shapes);

#endif
