/* The list of what may be digits in pictures. Not collective; a list is of one thread. */
#ifndef PARDIGITS_DATA_FOUND_DIGITS_H
#define PARDIGITS_DATA_FOUND_DIGITS_H

#include "store/image_set.h"

#include <stdint.h>

/* One way to read a shape on a page. A wide shape can be read as one digit or as several that touch; and
 * where it isn't clear whether ink is darker or lighter than its paper, the page is seen in both ways. */
typedef struct {
    int picture, page;       /* counted from 0 */
    int sight;               /* 0: the likelier way to see the page; 1: the other one */
    int line, number;        /* on the page */
    int shape;               /* on the page, in reading order */
    int reading, part;       /* reading 0: as one; further ones are of several parts, from the left */
    int x, y, width, height; /* of its box, in pixels of the page */
} FoundDigit;

typedef struct {
    int64_t count, room;
    ImageSpec spec;
    FoundDigit *digits; /* [count], by picture, page, sight, shape, reading, part */
    uint8_t *images;    /* [count][height][width] */
} FoundDigits;

/* Appends a digit with its image, which is copied. */
void found_digits_add(FoundDigits *found, const FoundDigit *digit, const uint8_t *image);
void found_digits_free(FoundDigits *found);

#endif
