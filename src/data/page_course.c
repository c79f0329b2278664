#include "data/page_course.h"

#include "core/integers.h"
#include "data/page_fit.h"

#include <math.h>
#include <stdbool.h>

/* Where ink is seen. */
typedef struct {
    PIX *ink, *outside;
} Seen;

/* An upright stroke. */
typedef struct {
    PageLine middle; /* along it: of columns by rows */
    double width;
    double off; /* how far its middle is from that line in the mean */
} Stroke;

/* The mean column of a mask's pixels in a row; false where there are none. */
static bool middle_of_row(PIX *mask, int y, double *middle) {
    const l_uint32 *line = pixGetData(mask) + (int64_t)y * pixGetWpl(mask);
    int64_t sum = 0, count = 0;
    for (int x = 0; x < pixGetWidth(mask); x++)
        if (GET_DATA_BIT(line, x)) {
            sum += x;
            count++;
        }
    if (count) *middle = (double)sum / (double)count;
    return count > 0;
}

/* From row `first` on, over `height` rows. */
static Stroke stroke_of(const PageShape *shape, int first, int height) {
    const int end = first + height;
    Stroke stroke = {.width = (double)shape->area / shape->box.height};
    PageFit fit = {0};
    double middle;
    for (int y = first; y < end; y++)
        if (middle_of_row(shape->mask, y, &middle)) page_fit_add(&fit, y, middle);
    stroke.middle = page_fit_line(&fit);
    for (int y = first; y < end; y++)
        if (middle_of_row(shape->mask, y, &middle))
            stroke.off += fabs(page_line_at(&stroke.middle, y) - middle) / fit.count;
    stroke.middle.x += shape->box.y;
    stroke.middle.y += shape->box.x;
    return stroke;
}

static bool is_on_page(const Seen *seen, int x, int y) {
    l_uint32 off = 0;
    if (x < 0 || y < 0 || x >= pixGetWidth(seen->ink) || y >= pixGetHeight(seen->ink)) return false;
    return !seen->outside || pixGetPixel(seen->outside, x, y, &off) || !off;
}

/* The strongest ink within a pixel of a column; -1 off the page. */
static int ink_near(const Seen *seen, int x, int y) {
    int most = -1;
    for (int near = x - 1; near <= x + 1; near++)
        if (is_on_page(seen, near, y))
            most = (int)larger(
                most, GET_DATA_BYTE(pixGetData(seen->ink) + (int64_t)y * pixGetWpl(seen->ink), near));
    return most;
}

/* Ink on a line in a row, and how much stronger it is than on both sides of it; false off the page. */
static bool ink_on(const Seen *seen, const Stroke *stroke, int y, double *ink, double *contrast) {
    const int x = (int)lround(page_line_at(&stroke->middle, y)), away = (int)lround(2 * stroke->width) + 3;
    const int left = ink_near(seen, x - away, y), right = ink_near(seen, x + away, y);
    if (!is_on_page(seen, x, y)) return false;
    *ink = ink_near(seen, x, y);
    *contrast = *ink - (left < 0 ? right : right < 0 ? left : (left + right) / 2.0);
    return true;
}

/* The means over some rows from `first` on, in steps of 1 or -1, up to the page's end; how many rows. */
static int mean_ink(const Seen *seen, const Stroke *stroke, int first, int step, int most, double *ink,
                    double *contrast) {
    double sum = 0, sum_contrast = 0;
    int rows = 0;
    for (; rows < most && ink_on(seen, stroke, first + step * rows, ink, contrast); rows++) {
        sum += *ink;
        sum_contrast += *contrast;
    }
    *ink = rows ? sum / rows : 0;
    *contrast = rows ? sum_contrast / rows : 0;
    return rows;
}

typedef enum { GOES_ON, ENDS, LEAVES_PAGE } End;

/* What the line of a shape of that ink and contrast does beyond one end, above (step -1) or below (1). Other
 * rules cross a rule; between digits in a column there is paper. */
static End end_of(const Seen *seen, const PageShape *shape, int step, double ink, double contrast) {
    enum { WINDOW = 3, LEAST = 6, LONG = 60 };
    const int height = shape->box.height, near = (int)smaller(height, LONG);
    const Stroke stroke = stroke_of(shape, step < 0 ? 0 : height - near, near);
    const int last = shape->box.y + (step < 0 ? 0 : height - 1), length = (int)larger(LEAST, near);
    const double least = 0.4 * contrast, paper = ink - contrast;
    int on = 0, gaps = 0, all = 0;
    double on_line, beyond;
    for (; all < length; all++) {
        const int y = last + step * (all + 1);
        if (mean_ink(seen, &stroke, y, step, WINDOW, &on_line, &beyond) < WINDOW) break;
        on += beyond >= least;
        mean_ink(seen, &stroke, y, step, 1, &on_line, &beyond);
        gaps += on_line - paper < least;
    }
    if (2 * all < length) return LEAVES_PAGE;
    return 10 * on >= 7 * all && 20 * gaps <= all ? GOES_ON : ENDS;
}

/* Whether a shape lies along the side of the sheet over most of its height. */
static bool is_along_side(const Seen *seen, const PageShape *shape) {
    enum { NEAR = 2 };
    const PageRect *box = &shape->box;
    int left = 0, right = 0;
    for (int y = 0; y < box->height && seen->outside; y++) {
        const l_uint32 *line = pixGetData(shape->mask) + (int64_t)y * pixGetWpl(shape->mask);
        int first = 0, last = box->width - 1;
        while (first <= last && !GET_DATA_BIT(line, first))
            first++;
        while (last >= first && !GET_DATA_BIT(line, last))
            last--;
        left += !is_on_page(seen, box->x + first - NEAR, box->y + y);
        right += !is_on_page(seen, box->x + last + NEAR, box->y + y);
    }
    return 10 * larger(left, right) >= 7 * box->height;
}

static bool is_piece_of_rule(const Seen *seen, const PageShape *shape) {
    const PageRect *box = &shape->box;
    if (3 * box->width > box->height + 6) return false;
    if (is_along_side(seen, shape)) return true;
    const Stroke stroke = stroke_of(shape, 0, box->height);
    if (stroke.off > 0.5 + stroke.width / 2 + box->height / 100.0) return false;
    double ink, contrast;
    mean_ink(seen, &stroke, box->y, 1, box->height, &ink, &contrast);
    if (2 * contrast < ink) return false; /* there is another stroke beside it, or none at all */
    const End above = end_of(seen, shape, -1, ink, contrast);
    if (above == ENDS) return false;
    const End below = end_of(seen, shape, 1, ink, contrast);
    const bool across = above == LEAVES_PAGE && below == LEAVES_PAGE; /* as a digit that fills its page */
    return below != ENDS && (!across || 40 * stroke.width <= box->height);
}

void page_drop_pieces_of_rules(PIX *ink, PIX *outside, PageShapes *shapes) {
    const Seen seen = {ink, outside};
    for (int i = shapes->count - 1; i >= 0; i--)
        if (is_piece_of_rule(&seen, &shapes->shapes[i])) page_shape_remove(shapes, i);
}
