/* Shapes on a page, made of one or several parts of a mask. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_PARTS_H
#define PARDIGITS_DATA_PAGE_PARTS_H

#include "data/page_mask.h"

enum { PAGE_MIN_HEIGHT = 9 /* pixels of a digit */ };

/* Some parts of a mask that make one shape. */
typedef struct {
    PageRect box;
    int area;          /* pixels */
    int line, number;  /* counted on the page; digits of a number stand close together */
    int word;          /* likewise: what of a number has narrow gaps between it */
    int strange;       /* about how many letters hang together in its word, among the pieces */
    bool small;        /* against most of the page's, and apart from them */
    bool struck;       /* out, by a line */
    bool raised;       /* as an exponent is */
    bool goes_on;      /* with the number before, in the next cell, however wide the gap is */
    bool in_next_cell; /* of a grid, but as close to the digit before as if it were of its number */
    bool reversed;     /* on a patch of ink (page_reverse.h) */
    bool dotted;       /* has a dot right below its strokes */
    bool stain;        /* the outline of one */
    bool faint;        /* far fainter than the page's other ink */
    PIX *mask;         /* of the box */
} PageShape;

typedef struct {
    int count;
    PageShape *shapes; /* [count] */
    bool crowded;      /* there were too many, so none is left */
} PageShapes;

void page_shapes_free(PageShapes *shapes);

static inline int page_right_of(const PageRect *box) {
    return box->x + box->width;
}

static inline int page_bottom_of(const PageRect *box) {
    return box->y + box->height;
}

/* Whether a box lies inside another, or reaches beyond it by no more than `slack` pixels. */
static inline bool page_is_inside(const PageRect *box, const PageRect *around, int slack) {
    return box->x >= around->x - slack && box->y >= around->y - slack &&
           page_right_of(box) <= page_right_of(around) + slack &&
           page_bottom_of(box) <= page_bottom_of(around) + slack;
}

/* Pixels between two boxes; negative where they overlap. */
int page_gap_x(const PageRect *a, const PageRect *b);
int page_gap_y(const PageRect *a, const PageRect *b);
PageRect page_rect_united(const PageRect *a, const PageRect *b);

/* Whether a shape is made of strokes: a blot or dot is nearly as thick as it is large. One of a digit's
 * height may be a digit whose loops are filled; height: that of digits. */
bool page_is_of_strokes(const PageShape *shape, int height);

/* Whether a shape is neither too low, too flat nor too slim for a digit; height: that of digits. */
bool page_has_proportions(const PageShape *shape, int height);

/* Adds b's pixels to a; b's mask is freed. */
void page_shape_unite(PageShape *a, PageShape *b);

/* Whether a is a stroke drawn below b rather than part of it. */
bool page_is_underline(const PageShape *a, const PageShape *b);

/* The last shape takes its place. */
void page_shape_remove(PageShapes *shapes, int i);

#endif
