#include "data/page_strike.h"

#include "core/integers.h"

#include <math.h>

/* Rows of a column in which a mask is inked, from the upper one to the lower one; false: none. */
static bool inked_rows(PIX *mask, int x, int *top, int *bottom) {
    *top = pixGetHeight(mask);
    *bottom = -1;
    for (int y = 0; y < pixGetHeight(mask); y++) {
        l_uint32 inked = 0;
        pixGetPixel(mask, x, y, &inked);
        if (!inked) continue;
        *top = (int)smaller(*top, y);
        *bottom = y;
    }
    return *bottom >= 0;
}

/* How far from a side nothing but one stroke, no wider than `thickest`, is seen. *height: where it is at
 * last. */
static int end_of_line(PIX *mask, bool right, int thickest, double *height) {
    const int width = pixGetWidth(mask);
    int length = 0, top, bottom;
    for (; length < width; length++) {
        const int x = right ? width - 1 - length : length;
        if (!inked_rows(mask, x, &top, &bottom) || bottom - top >= thickest) break;
        *height = (top + bottom) / 2.0;
    }
    return length;
}

bool page_is_struck_out(PIX *mask) {
    const int width = pixGetWidth(mask), height = pixGetHeight(mask);
    const double stroke = page_stroke_width(mask);
    const int thickest = (int)lround(1.7 * stroke) + 1, least = (int)larger(4, lround(2 * stroke));
    double left = 0, right = 0;
    if (10 * width < 8 * height || end_of_line(mask, false, thickest, &left) < least ||
        end_of_line(mask, true, thickest, &right) < least)
        return false;
    const double upper = 0.25 * height, lower = 0.75 * height;
    if (fmin(left, right) < upper || fmax(left, right) > lower || fabs(left - right) > width / 4.0)
        return false;
    for (int x = 0; x < width; x++) { /* the line between both ends */
        const int middle = (int)lround(left + (right - left) * x / width), reach = thickest;
        bool inked = false;
        for (int y = middle - reach; y <= middle + reach && !inked; y++) {
            l_uint32 pixel = 0;
            pixGetPixel(mask, x, y, &pixel);
            inked = pixel != 0;
        }
        if (!inked) return false;
    }
    return true;
}
