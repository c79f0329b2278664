#include "data/page_lean.h"

#include "data/page_fit.h"
#include "data/page_mask.h"

#include <math.h>

PageLean page_lean_of(PIX *mask) {
    const int width = pixGetWidth(mask), height = pixGetHeight(mask);
    const double sides = 12; /* the variance of what is spread evenly over a width is its square by this */
    PageFit fit = {0};
    double squares = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            if (page_is_inked(mask, x, y)) page_fit_add(&fit, y, x);
    const PageLine line = page_fit_line(&fit);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const double off = x - page_line_at(&line, y);
            if (page_is_inked(mask, x, y)) squares += off * off;
        }
    return (PageLean){-line.slope, sqrt(sides * squares / fit.count) * height / fit.count};
}
