#include "data/page_line_removal.h"

#include "core/integers.h"
#include "data/page_boxes.h"
#include "data/page_comb.h"
#include "data/page_grid.h"
#include "data/page_lines.h"
#include "data/page_parts.h"
#include "data/page_rules.h"

#include <math.h>
#include <stdlib.h>

/* Whether a part has ink at all corners of its box, a share of its sides long, as a frame has, but a digit of
 * straight lines doesn't. */
static bool has_corners(PIX *part, double share) {
    const int width = pixGetWidth(part), height = pixGetHeight(part);
    const int side = (int)larger(2, (int)(share * (double)smaller(width, height)));
    int inked = 0;
    for (int corner = 0; corner < 4; corner++) {
        l_int32 pixels = 0;
        BOX *box = boxCreate(corner & 1 ? width - side : 0, corner & 2 ? height - side : 0, side, side);
        pixCountPixelsInRect(part, box, &pixels, NULL);
        boxDestroy(&box);
        inked += pixels > 0;
    }
    return inked == 4;
}

/* How many sides of a part's box are drawn along their whole length. */
static int drawn_sides(PIX *part) {
    const double whole = 0.9;
    const int width = pixGetWidth(part), height = pixGetHeight(part);
    const int band_x = L_MAX(width / 10, 2), band_y = L_MAX(height / 10, 2);
    return (page_side_covered(part, 0, 0, width, band_y) >= whole) +
           (page_side_covered(part, 0, height - band_y, width, band_y) >= whole) +
           (page_side_covered(part, 0, 0, band_x, height) >= whole) +
           (page_side_covered(part, width - band_x, 0, band_x, height) >= whole);
}

/* A part's straight lines that are nearly as long as it. Long ones may slant a little, as in a photograph;
 * short ones are as wide as they slant, and strokes of digits are like slanted ones. */
static PIX *long_lines(PIX *part, bool horizontal) {
    const int length = horizontal ? pixGetWidth(part) : pixGetHeight(part), least = L_MAX(length * 6 / 10, 3);
    const int run = length < 150 ? least : (int)larger(40, length / 20); /* level for that long at least */
    return page_lines_of_runs(part, horizontal, least, run);
}

/* The sides of a frame, which may slant also where they are short: along them there is no digit. */
static PIX *sides_of_frame(PIX *frame, bool horizontal) {
    const int width = pixGetWidth(frame), height = pixGetHeight(frame);
    const int length = horizontal ? width : height, band = (horizontal ? height : width) / 8;
    PIX *sides = page_lines_of_runs(frame, horizontal, length * 6 / 10, L_MAX(length / 8, 3));
    if (horizontal)
        pixRasterop(sides, 0, band, width, height - 2 * band, PIX_CLR, NULL, 0, 0);
    else
        pixRasterop(sides, band, 0, width - 2 * band, height, PIX_CLR, NULL, 0, 0);
    return sides;
}

/* Whether a part has long lines in both directions, and thin ones, as several cells have, out of which digits
 * may reach. A digit's strokes are thick for its size. */
static bool is_of_cells(PIX *part) {
    const double size = (double)larger(pixGetWidth(part), pixGetHeight(part));
    l_int32 levels = 0, uprights = 0;
    if (12 * page_stroke_width(part) > size) return false;
    PIX *level = long_lines(part, true), *upright = long_lines(part, false);
    pixCountConnComp(level, 8, &levels);
    pixCountConnComp(upright, 8, &uprights);
    const double widest = fmax(page_stroke_width(level), page_stroke_width(upright));
    const bool cells = smaller(levels, uprights) >= 2 && larger(levels, uprights) >= 3 && 15 * widest <= size;
    pixDestroy(&level);
    pixDestroy(&upright);
    return cells;
}

/* Leaves of a frame or a row of cells what was written into it. closed: all its sides are drawn. Returns its
 * upright lines. */
static PIX *remove_frame(PIX *part, bool closed) {
    PIX *level = long_lines(part, true), *upright = long_lines(part, false);
    for (int horizontal = 0; horizontal < 2 && closed; horizontal++) {
        PIX *sides = sides_of_frame(part, horizontal), *lines = horizontal ? level : upright;
        pixOr(lines, lines, sides);
        pixDestroy(&sides);
    }
    page_remove_line_pair(part, level, upright);
    pixDestroy(&level);
    return upright;
}

/* Whether a frame is that of a check box, and one shape in it reaches into all its corners: a cross. */
static bool is_crossed_box(PIX *box) {
    const int width = pixGetWidth(box), height = pixGetHeight(box);
    if (3 * smaller(width, height) < 2 * larger(width, height)) return false;
    PIX *inside = pixCopy(NULL, box), *sides = remove_frame(inside, true);
    PIXA *parts = NULL;
    BOXA *boxes = pixConnComp(inside, &parts, 8);
    bool cross = false;
    for (int i = 0; i < boxaGetCount(boxes); i++) {
        PIX *part = pixaGetPix(parts, i, L_CLONE);
        cross = cross || (10 * pixGetWidth(part) >= 7 * width && 10 * pixGetHeight(part) >= 7 * height &&
                          has_corners(part, 0.2));
        pixDestroy(&part);
    }
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    pixDestroy(&inside);
    pixDestroy(&sides);
    return cross;
}

/* Whether a part is the edge of a scan or a sheet: it lies along half of a side of the page, or at three. */
static bool is_page_edge(PIX *part, const PageRect *rect, int width, int height) {
    const int right = rect->x + rect->width, bottom = rect->y + rect->height;
    const double much = 0.5;
    int sides = 0, long_sides = 0;
    const struct {
        bool touches;
        int x, y, width, height;
        int page;
    } checks[] = {{rect->y <= 1, 0, 0, rect->width, 2, width},
                  {bottom >= height - 1, 0, rect->height - 2, rect->width, 2, width},
                  {rect->x <= 1, 0, 0, 2, rect->height, height},
                  {right >= width - 1, rect->width - 2, 0, 2, rect->height, height}};
    for (int i = 0; i < 4; i++) {
        if (!checks[i].touches) continue;
        sides++;
        const int length = checks[i].width > checks[i].height ? rect->width : rect->height;
        const double share =
            page_side_covered(part, checks[i].x, checks[i].y, checks[i].width, checks[i].height);
        long_sides += share * length >= much * checks[i].page;
    }
    return long_sides > 0 || sides >= 3;
}

static bool is_solid(PIX *part) {
    l_int32 pixels = 0;
    pixCountPixels(part, &pixels, NULL);
    return 10 * (int64_t)pixels > 6 * (int64_t)pixGetWidth(part) * pixGetHeight(part);
}

/* Whether a part that is far smaller than the page reaches to one of its sides, or nearly. */
static bool is_at_one_side(const PageRect *rect, int width, int height) {
    const bool small = 3 * rect->width < width || 3 * rect->height < height;
    const int near_x = width / 50, near_y = height / 50;
    const int sides = (rect->x <= near_x) + (rect->y <= near_y) + (rect->x + rect->width >= width - near_x) +
                      (rect->y + rect->height >= height - near_y);
    return small && sides == 1;
}

/* Adds a part's upright lines to those of the page. */
static void add_to(PageCells *cells, PIX **lines, const PageRect *part) {
    pixRasterop(cells->borders, part->x, part->y, part->width, part->height, PIX_SRC | PIX_DST, *lines, 0, 0);
    pixDestroy(lines);
}

/* Leaves of a frame or of cells what was written into them, and notes these cells. whole: the page before
 * anything was taken from it. */
static void take_frame(PIX *part, const PageRect *place, bool closed, PIX *whole, PageCells *cells) {
    page_add_cells(part, place, whole, cells->grids);
    PIX *uprights = remove_frame(part, closed);
    add_to(cells, &uprights, place);
}

/* Removes cells at the side of a page, of which the lines are like rules, and notes them. */
static void remove_cells_at_side(PIX *mask, PIX *whole, PageCells *cells) {
    PIXA *parts = NULL;
    BOXA *boxes = pixConnComp(mask, &parts, 8);
    for (int i = 0; i < boxaGetCount(boxes); i++) {
        PageRect rect;
        boxaGetBoxGeometry(boxes, i, &rect.x, &rect.y, &rect.width, &rect.height);
        if (smaller(rect.width, rect.height) < 16 ||
            !is_at_one_side(&rect, pixGetWidth(mask), pixGetHeight(mask)))
            continue;
        PIX *part = pixaGetPix(parts, i, L_CLONE);
        if (is_of_cells(part)) {
            PIX *kept = pixCopy(NULL, part);
            take_frame(kept, &rect, false, whole, cells);
            pixSubtract(part, part, kept);
            pixRasterop(mask, rect.x, rect.y, rect.width, rect.height, PIX_NOT(PIX_SRC) & PIX_DST, part, 0,
                        0);
            pixDestroy(&kept);
        }
        pixDestroy(&part);
    }
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
}

/* Whether two boxes near each other have the same top and height, as digits of a number have. */
static bool are_level(const PageRect *a, const PageRect *b) {
    const int near = a->height / 6, bottom = page_bottom_of(a) - page_bottom_of(b);
    return abs(a->y - b->y) <= near && abs(bottom) <= near && page_gap_x(a, b) >= 0 &&
           page_gap_x(a, b) <= 4 * a->height;
}

/* Whether any part lies within a box. */
static bool holds_part(BOXA *boxes, const PageRect *box) {
    for (int i = 0; i < boxaGetCount(boxes); i++) {
        PageRect part;
        boxaGetBoxGeometry(boxes, i, &part.x, &part.y, &part.width, &part.height);
        if (part.width < box->width && part.height < box->height && page_is_inside(&part, box, 0))
            return true;
    }
    return false;
}

/* Whether frame i of the page's parts rather is a square-cornered 0 or 8: it is empty, higher than wide, and
 * beside something of its height and stroke width that isn't a frame; nor is it beside a cell of its size
 * that isn't empty. */
static bool is_square_digit(BOXA *boxes, PIXA *parts, int i) {
    PageRect frame, other;
    boxaGetBoxGeometry(boxes, i, &frame.x, &frame.y, &frame.width, &frame.height);
    const int many = 1000; /* parts: too long to compare them all, and no display has so many */
    bool beside = false;
    if (4 * frame.width > 3 * frame.height || boxaGetCount(boxes) > many) return false;
    PIX *part = pixaGetPix(parts, i, L_CLONE);
    const double strokes = page_stroke_width(part);
    pixDestroy(&part);
    for (int j = 0; j < boxaGetCount(boxes); j++) {
        boxaGetBoxGeometry(boxes, j, &other.x, &other.y, &other.width, &other.height);
        if (j == i) continue;
        if (page_is_inside(&other, &frame, 0)) return false;
        if (!are_level(&frame, &other)) continue;
        if (6 * abs(other.width - frame.width) <= frame.width && holds_part(boxes, &other)) return false;
        if (beside) continue;
        part = pixaGetPix(parts, j, L_CLONE);
        beside = drawn_sides(part) < 4 && 2 * strokes >= page_stroke_width(part);
        pixDestroy(&part);
    }
    return beside;
}

static void remove_frames_and_edges(PIX **mask, PIX *whole, PageCells *cells) {
    const int width = pixGetWidth(*mask), height = pixGetHeight(*mask);
    PIXA *parts = NULL;
    BOXA *boxes = pixConnComp(*mask, &parts, 8);
    const int count = boxaGetCount(boxes);
    PIX *clean = pixCreateTemplate(*mask);
    for (int i = 0; i < count; i++) {
        PageRect rect;
        boxaGetBoxGeometry(boxes, i, &rect.x, &rect.y, &rect.width, &rect.height);
        PIX *part = pixaGetPix(parts, i, L_CLONE);
        const bool large = rect.width >= 16 && rect.height >= 16;
        const int drawn = large ? drawn_sides(part) : 0;
        const bool edge = is_page_edge(part, &rect, width, height);
        PIX *uprights;
        if (drawn == 4 && is_solid(part))
            pixClearAll(part); /* a sheet, or paper within a frame */
        else if (drawn == 4 && has_corners(part, 0.1) && is_crossed_box(part))
            pixClearAll(part);
        else if (drawn == 4 && has_corners(part, 0.1) && is_square_digit(boxes, parts, i))
            ; /* stays */
        else if (large && (uprights = page_remove_boxes(part)))
            add_to(cells, &uprights, &rect);
        else if ((drawn == 4 && has_corners(part, 0.1)) || (drawn == 3 && edge) ||
                 (large && is_of_cells(part)))
            take_frame(part, &rect, drawn == 4, whole, cells);
        else if (edge)
            pixClearAll(part);
        else if (large)
            page_remove_underline(part);
        pixRasterop(clean, rect.x, rect.y, rect.width, rect.height, PIX_SRC | PIX_DST, part, 0, 0);
        pixDestroy(&part);
    }
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    pixDestroy(mask);
    *mask = clean;
}

PageCells page_remove_lines(PIX **mask, PIX *ink, PIX **rules) {
    PageCells cells = {.borders = pixCreateTemplate(*mask), .grids = boxaCreate(0)};
    PIX *whole = pixCopy(NULL, *mask);
    remove_cells_at_side(*mask, whole, &cells);
    *rules = page_remove_rules(mask, ink);
    remove_frames_and_edges(mask, whole, &cells);
    pixDestroy(&whole);
    return cells;
}

void page_cells_free(PageCells *cells) {
    pixDestroy(&cells->borders);
    boxaDestroy(&cells->grids);
}
