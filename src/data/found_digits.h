/* The list of what may be digits in pictures. Not collective; a list is of one thread. */
#ifndef PARDIGITS_DATA_FOUND_DIGITS_H
#define PARDIGITS_DATA_FOUND_DIGITS_H

#include "store/image_set.h"

#include <stdbool.h>
#include <stdint.h>

/* Shapes that may be pieces of one digit. */
enum { FOUND_JOINED = 4 };

/* Of a page with more shapes than these nothing is read: mostly it is noise. */
enum { FOUND_SHAPES_MOST = 10000 };

/* Edges of a page. */
enum { FOUND_TOP = 1, FOUND_BOTTOM = 2, FOUND_LEFT = 4, FOUND_RIGHT = 8 };

/* One way to read a shape on a page. A wide shape can be read as one digit or as several that touch; and
 * where it isn't clear whether ink is darker or lighter than its paper, the page is seen in both ways. Shapes
 * that may be pieces of one digit are read as one, too; such readings follow those of all shapes. */
typedef struct {
    int picture, page;       /* counted from 0 */
    int sheet;               /* on the page, in reading order, then what is beside them; 0 without sheets */
    int sight;               /* 0: the likelier way to see the page; 1: the other one */
    int line, number;        /* on the page */
    int word;                /* likewise: what of a number has narrow gaps between it */
    int strange;             /* about how many letters hang together in its word; they aren't read */
    int shape;               /* on the sheet or the page, in reading order */
    int reading, part;       /* reading 0: as one; further ones are of several parts, from the left */
    int x, y, width, height; /* of its box, in pixels of the page */
    double stroke, ink;      /* its strokes' width, in pixels of the page, and how dark they are, of 255 */
    double lean, spread;     /* of its ink, by page_lean.h; 0 of a picture that was taken as one digit */
    unsigned edges;          /* that it touches: FOUND_TOP | ... */
    bool struck;             /* out, by a line */
    bool dotted;             /* has a dot right below its strokes */
    bool stain;              /* the outline of one; so it is doubtful */
    bool goes_on;            /* with the number before, in the next cell, however wide the gap is */
    bool in_next_cell;       /* of a grid, but as close to the digit before as if it were of its number */
    bool badly_cut;          /* a part whose cut isn't believed; so it is doubtful */
    bool small;              /* against most of the page's shapes, and apart from them */
    bool faint;              /* against the page's other ink; so it is doubtful */
    bool alone;              /* the picture was taken as one digit */
    int joins;               /* shapes that this reading joins; 0: it is of `shape` alone */
    int joined[FOUND_JOINED];
} FoundDigit;

typedef struct {
    int64_t count;
    ImageSpec spec;
    FoundDigit *digits; /* [count], by picture, page, sheet, sight, shape, reading, part */
    uint8_t *images;    /* [count][height][width] */
    bool crowded;       /* a page had more than FOUND_SHAPES_MOST; not appended */
} FoundDigits;

/* Appends a digit with its image, which is copied. */
void found_digits_add(FoundDigits *found, const FoundDigit *digit, const uint8_t *image);
/* Appends all of other. */
void found_digits_append(FoundDigits *found, const FoundDigits *other);
void found_digits_free(FoundDigits *found);

#endif
