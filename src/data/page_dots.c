#include "data/page_dots.h"

#include "core/integers.h"
#include "data/found_digits.h"

#include <math.h>

/* Whether a part is about as wide as high, and full. */
static bool is_dot(const PageShape *part) {
    const int wide = (int)larger(part->box.width, part->box.height),
              narrow = (int)smaller(part->box.width, part->box.height);
    return wide >= 3 && 3 * wide <= 5 * narrow && 10 * part->area >= 6 * part->box.width * part->box.height;
}

/* Whether a dot lies so far below a part, and is so small, that it may be that of a sign. */
static bool is_below(const PageRect *dot, const PageRect *part) {
    const int gap = dot->y - page_bottom_of(part), middle = dot->x + dot->width / 2;
    return part->height >= PAGE_MIN_HEIGHT && 3 * dot->height <= part->height && gap >= 0 &&
           10 * gap <= 4 * part->height && middle >= part->x - dot->width &&
           middle <= page_right_of(part) + dot->width;
}

/* The middle column of the lowest rows of a part, as many as its strokes are wide. */
static double lower_end(const PageShape *part, double stroke) {
    const int rows = (int)smaller(part->box.height, lround(fmax(1, stroke)));
    int64_t sum = 0, count = 0;
    for (int y = part->box.height - rows; y < part->box.height; y++)
        for (int x = 0; x < part->box.width; x++)
            if (page_is_inked(part->mask, x, y)) {
                sum += x;
                count++;
            }
    return part->box.x + (double)sum / (double)larger(count, 1);
}

static bool is_dotted(const PageShape *part, const PageRect *dot) {
    const double stroke = page_stroke_width(part->mask), middle = dot->x + dot->width / 2.0;
    return dot->width >= 0.6 * stroke && dot->width <= 2.5 * stroke &&
           fabs(middle - lower_end(part, stroke)) <= 1.5 * stroke;
}

/* Whether there are other dots around, as of a dotted line or paper with dots. */
static bool is_one_of_many(const PageShapes *parts, int d, int reach) {
    const PageRect *dot = &parts->shapes[d].box;
    const int few = 1;
    int others = 0;
    for (int i = 0; i < parts->count && others <= few; i++) {
        const PageRect *other = &parts->shapes[i].box;
        others += i != d && page_gap_x(dot, other) <= reach && page_gap_y(dot, other) <= reach &&
                  larger(other->height, dot->height) <= 2 * smaller(other->height, dot->height) &&
                  is_dot(&parts->shapes[i]);
    }
    return others > few;
}

void page_mark_dotted(PageShapes *parts) {
    const bool crowded = parts->count > FOUND_SHAPES_MOST; /* with specks, of which none counts */
    for (int d = 0; d < parts->count && !crowded; d++) {
        if (!is_dot(&parts->shapes[d])) continue;
        const PageRect *dot = &parts->shapes[d].box;
        for (int i = 0; i < parts->count; i++) {
            PageShape *part = &parts->shapes[i];
            if (i != d && is_below(dot, &part->box) && is_dotted(part, dot) &&
                !is_one_of_many(parts, d, part->box.height))
                part->dotted = true;
        }
    }
}
