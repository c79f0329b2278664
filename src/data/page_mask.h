/* From a grey page to what may be strokes of digits. Private to src/data/page*.c.
 *
 * "Ink" is a grey picture in which strokes are light on black; a mask is binary, 1 where there is a stroke.
 */
#ifndef PARDIGITS_DATA_PAGE_MASK_H
#define PARDIGITS_DATA_PAGE_MASK_H

#include <allheaders.h>
#include <stdbool.h>
#include <stdint.h>

/* A box of pixels. */
typedef struct {
    int x, y, width, height;
} PageRect;

/* The ink of a page whose ink is darker than its paper: how much darker each pixel is than the paper around
 * it, in 1/255 of the paper's light. Structures wider than `window` are paper. relative: the paper's
 * light counts; otherwise differences do. */
PIX *page_ink(PIX *grey, int window, bool relative);

/* Where there is a stroke: clearly above the paper's noise, and not far fainter than the strongest ink within
 * `reach`. */
PIX *page_threshold(PIX *ink, int reach);

/* Where at least three corners of the page are full: the parts of the mask in them, as around a disc that is
 * written on, made two pixels wider; freed by the caller. Otherwise NULL. */
PIX *page_surroundings(PIX *mask);

/* Removes what is far fainter than the strongest ink of a mask, such as a pattern printed on the paper.
 * level: the paper's. Returns it; freed by the caller. NULL: the mask is empty. */
PIX *page_take_faint(PIX *ink, int level, PIX *mask);

/* Whether a pixel of a mask is 1; false outside of it. */
static inline bool page_is_inked(PIX *mask, int x, int y) {
    return x >= 0 && y >= 0 && x < pixGetWidth(mask) && y < pixGetHeight(mask) &&
           GET_DATA_BIT(pixGetData(mask) + (int64_t)y * pixGetWpl(mask), x);
}

/* The mean of a grey picture where a mask is 1, of which the upper left corner lies at (x, y); 0 where it is
 * empty. */
double page_mean_where(PIX *grey, PIX *mask, int x, int y);

/* Width of the strokes of a mask in pixels: twice the area by the length of its outline. */
double page_stroke_width(PIX *mask);

#endif
