#include "data/page_strike.h"

#include "core/integers.h"

#include <math.h>

enum { MOST_LINES = 2 };

/* The lines that run into a shape from a side: how many, how far nothing else is seen, and where they are. */
typedef struct {
    int count, length;
    double height[MOST_LINES]; /* from above, of the middle of a line where it was seen last */
} LineEnds;

/* The middles of the strokes that a column crosses. Returns how many, or -1 if they are too many, or one is
 * thicker than `thickest`. */
static int cross_strokes(PIX *mask, int x, int thickest, double middles[MOST_LINES]) {
    int count = 0;
    for (int y = 0; y < pixGetHeight(mask); y++) {
        const int top = y;
        while (y < pixGetHeight(mask) && page_is_inked(mask, x, y))
            y++;
        if (y == top) continue;
        if (count == MOST_LINES || y - top > thickest) return -1;
        middles[count++] = (top + y - 1) / 2.0;
    }
    return count;
}

/* One line that is longer than `least`, or two of which one begins a little before the other. */
static LineEnds end_of_lines(PIX *mask, bool right, int thickest, int least) {
    LineEnds ends = {0};
    const int width = pixGetWidth(mask);
    double middles[MOST_LINES];
    for (; ends.length < width; ends.length++) {
        const int x = right ? width - 1 - ends.length : ends.length;
        const int count = cross_strokes(mask, x, thickest, middles);
        if (count <= 0 || count < ends.count || (count > ends.count && ends.length >= least)) break;
        ends.count = count;
        for (int l = 0; l < count; l++)
            ends.height[l] = middles[l];
    }
    return ends;
}

/* Whether a line runs through the middle of a shape, from a height at its left end to one at its right. */
static bool runs_through(PIX *mask, const LineEnds *left, const LineEnds *right, int l, int reach) {
    const int width = pixGetWidth(mask), height = pixGetHeight(mask);
    const double from = left->height[l], to = right->height[l];
    if (fmin(from, to) < 0.25 * height || fmax(from, to) > 0.75 * height || fabs(from - to) > width / 4.0)
        return false;
    for (int x = left->length; x < width - right->length; x++) {
        const int middle = (int)lround(from + (to - from) * x / width);
        bool inked = false;
        for (int y = middle - reach; y <= middle + reach && !inked; y++)
            inked = page_is_inked(mask, x, y);
        if (!inked) return false;
    }
    return true;
}

bool page_is_struck_out(PIX *mask) {
    const double stroke = page_stroke_width(mask);
    const int thickest = (int)lround(1.7 * stroke) + 1, least = (int)larger(4, lround(1.5 * stroke));
    if (10 * pixGetWidth(mask) < 8 * pixGetHeight(mask)) return false;
    const LineEnds left = end_of_lines(mask, false, thickest, least),
                   right = end_of_lines(mask, true, thickest, least);
    if (left.count != right.count || smaller(left.length, right.length) < least) return false;
    for (int l = 0; l < left.count; l++)
        if (!runs_through(mask, &left, &right, l, thickest)) return false;
    return true;
}
