/* The rules of lined and squared paper. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_RULES_H
#define PARDIGITS_DATA_PAGE_RULES_H

#include <allheaders.h>

/* Removes from a mask the lines that run to the page's edge, level or upright, straight or bent; strokes that
 * cross them are kept. ink: what the mask was made of. Returns the rules' courses where the page is ruled,
 * else NULL. */
PIX *page_remove_rules(PIX **mask, PIX *ink);

#endif
