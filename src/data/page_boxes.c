#include "data/page_boxes.h"

#include "core/integers.h"
#include "data/page_lines.h"

/* A straight line: along it from begin to end, across it at `at`. */
typedef struct {
    int begin, end, at;
} Line;

enum { MOST_LINES = 100 };

typedef struct {
    Line items[MOST_LINES];
    int count;
} Lines;

/* The components of a mask of lines that are as thin as a printed line; of more than a row of boxes has,
 * none. */
static Lines thin_lines(PIX *mask, bool horizontal, int thin) {
    Lines lines = {.count = 0};
    BOXA *boxes = pixConnComp(mask, NULL, 8);
    for (int i = 0; i < boxaGetCount(boxes) && boxaGetCount(boxes) <= MOST_LINES; i++) {
        int x, y, width, height;
        boxaGetBoxGeometry(boxes, i, &x, &y, &width, &height);
        if ((horizontal ? height : width) > thin) continue;
        lines.items[lines.count++] =
            horizontal ? (Line){x, x + width, y + height / 2} : (Line){y, y + height, x + width / 2};
    }
    boxaDestroy(&boxes);
    return lines;
}

/* Whether a line runs all the way from one place to another, where it may go on. */
static bool covers(const Line *line, int begin, int end, int slack) {
    return line->begin <= begin + slack && line->end >= end - slack;
}

/* Whether two level and two upright lines enclose a box. */
static bool enclose(const Line *top, const Line *bottom, const Line *left, const Line *right, int slack) {
    return covers(top, left->at, right->at, slack) && covers(bottom, left->at, right->at, slack) &&
           covers(left, top->at, bottom->at, slack) && covers(right, top->at, bottom->at, slack);
}

/* Whether a further level line parts a box: then it is of a table. */
static bool is_divided(const Lines *levels, const Line *top, const Line *bottom, const Line *left,
                       const Line *right, int slack) {
    for (int i = 0; i < levels->count; i++) {
        const Line *line = &levels->items[i];
        if (line->at > top->at + 2 * slack && line->at < bottom->at - 2 * slack &&
            covers(line, left->at, right->at, slack))
            return true;
    }
    return false;
}

/* Adds the sides of a box to the masks of its level and upright lines. */
static void add_box(int left, int top, int right, int bottom, int reach, PIX *level, PIX *upright) {
    const int width = right - left + 2 * reach, height = bottom - top + 2 * reach;
    pixRasterop(level, left - reach, top - reach, width, 2 * reach + 1, PIX_SET, NULL, 0, 0);
    pixRasterop(level, left - reach, bottom - reach, width, 2 * reach + 1, PIX_SET, NULL, 0, 0);
    pixRasterop(upright, left - reach, top - reach, 2 * reach + 1, height, PIX_SET, NULL, 0, 0);
    pixRasterop(upright, right - reach, top - reach, 2 * reach + 1, height, PIX_SET, NULL, 0, 0);
}

/* Marks the sides of all boxes; whether there are any. tallest: the height of the part, most of which a box
 * takes up, where a loop of a digit doesn't. */
static bool mark_boxes(const Lines *levels, const Lines *uprights, int tallest, int slack, PIX *level,
                       PIX *upright) {
    bool any = false;
    for (int t = 0; t < levels->count; t++)
        for (int b = 0; b < levels->count; b++) {
            const Line *top = &levels->items[t], *bottom = &levels->items[b];
            const int height = bottom->at - top->at;
            for (int l = 0; l < uprights->count && 10 * height >= 6 * tallest; l++)
                for (int r = 0; r < uprights->count; r++) {
                    const Line *left = &uprights->items[l], *right = &uprights->items[r];
                    if (3 * (right->at - left->at) < height || !enclose(top, bottom, left, right, slack) ||
                        is_divided(levels, top, bottom, left, right, slack))
                        continue;
                    add_box(left->at, top->at, right->at, bottom->at, slack, level, upright);
                    any = true;
                }
        }
    return any;
}

PIX *page_remove_boxes(PIX *part) {
    const int size = (int)smaller(pixGetWidth(part), pixGetHeight(part)), least = size / 2;
    const int thin = (int)larger(size / 15, 2), slack = thin + 1;
    PIX *level = page_lines_of_runs(part, true, least, least / 2),
        *upright = page_lines_of_runs(part, false, least, least / 2);
    PIX *level_sides = pixCreateTemplate(part), *upright_sides = pixCreateTemplate(part);
    const Lines levels = thin_lines(level, true, thin), uprights = thin_lines(upright, false, thin);
    const bool any = mark_boxes(&levels, &uprights, pixGetHeight(part), slack, level_sides, upright_sides);
    if (any) {
        pixAnd(level, level, level_sides);
        pixAnd(upright, upright, upright_sides);
        page_remove_line_pair(part, level, upright);
    } else {
        pixDestroy(&upright);
    }
    pixDestroy(&level);
    pixDestroy(&level_sides);
    pixDestroy(&upright_sides);
    return upright;
}
