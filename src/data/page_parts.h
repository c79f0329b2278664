/* From a mask of strokes to shapes that may be digits, in reading order. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_PARTS_H
#define PARDIGITS_DATA_PAGE_PARTS_H

#include "data/page_mask.h"

/* Some parts of a mask that make one shape. */
typedef struct {
    PageRect box;
    int area;         /* pixels */
    int line, number; /* counted on the page; digits of a number stand close together */
    int word;         /* likewise: what of a number has narrow gaps between it */
    int strange;      /* about how many letters hang together in its word, among the pieces */
    bool small;       /* against most of the page's, and apart from them */
    bool struck;      /* out, by a line */
    bool raised;      /* as an exponent is */
    bool reversed; /* against the page's other writing: light where that is dark, or dark where it is light */
    PIX *mask;     /* of the box */
} PageShape;

typedef struct {
    int count;
    PageShape *shapes; /* [count] */
} PageShapes;

/* The shapes of a mask that have a digit's proportions; dots and solid areas are left out. *pieces are the
 * others, such as dashes, that may belong to a shape. Both are freed by page_shapes_free. */
PageShapes page_find_shapes(PIX *mask, PageShapes *pieces);
void page_shapes_free(PageShapes *shapes);

/* Pixels between two boxes; negative where they overlap. */
int page_gap_x(const PageRect *a, const PageRect *b);
int page_gap_y(const PageRect *a, const PageRect *b);
PageRect page_rect_united(const PageRect *a, const PageRect *b);

/* Adds b's pixels to a; b's mask is freed. */
void page_shape_unite(PageShape *a, PageShape *b);

/* Whether a is a stroke drawn below b rather than part of it. */
bool page_is_underline(const PageShape *a, const PageShape *b);

/* The last shape takes its place. */
void page_shape_remove(PageShapes *shapes, int i);

#endif
