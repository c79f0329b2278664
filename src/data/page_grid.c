#include "data/page_grid.h"

#include "core/integers.h"
#include "data/page_lines.h"
#include "data/page_parts.h"

#include <stdbool.h>

enum { MOST_CELLS = 1000 };

static PageRect rect_at(BOXA *boxes, int i) {
    PageRect rect;
    boxaGetBoxGeometry(boxes, i, &rect.x, &rect.y, &rect.width, &rect.height);
    return rect;
}

/* The paper that a part encloses; lines may have gaps of a pixel. */
static BOXA *holes_of(PIX *part) {
    const PageRect all = {1, 1, pixGetWidth(part) - 2, pixGetHeight(part) - 2};
    PIX *paper = pixCloseSafeBrick(NULL, part, 3, 3);
    pixInvert(paper, paper);
    BOXA *components = pixConnCompBB(paper, 4), *holes = boxaCreate(0);
    for (int i = 0; i < boxaGetCount(components); i++) {
        const PageRect hole = rect_at(components, i);
        if (page_is_inside(&hole, &all, 0) && smaller(hole.width, hole.height) >= PAGE_MIN_HEIGHT)
            boxaAddBox(holes, boxaGetBox(components, i, L_CLONE), L_INSERT);
    }
    boxaDestroy(&components);
    pixDestroy(&paper);
    return holes;
}

/* The box that is the middle one of several if each counts by its area. */
static PageRect usual_of(BOXA *boxes) {
    BOXA *sorted = boxaSort(boxes, L_SORT_BY_AREA, L_SORT_DECREASING, NULL);
    PageRect usual = {0};
    int64_t area = 0, half = 0;
    for (int i = 0; i < boxaGetCount(sorted); i++) {
        const PageRect box = rect_at(sorted, i);
        area += (int64_t)box.width * box.height;
    }
    for (int i = 0; i < boxaGetCount(sorted) && 2 * half < area; i++) {
        usual = rect_at(sorted, i);
        half += (int64_t)usual.width * usual.height;
    }
    boxaDestroy(&sorted);
    return usual;
}

/* Removes what is too small for a cell: loops of digits that touch lines. */
static void drop_small(BOXA *holes, const PageRect *usual) {
    for (int i = boxaGetCount(holes) - 1; i >= 0; i--) {
        const PageRect hole = rect_at(holes, i);
        if (2 * hole.height < usual->height || 3 * hole.width < usual->height) boxaRemoveBox(holes, i);
    }
}

/* Whether cell b is the next one to the right of a. */
static bool is_right_of(const PageRect *b, const PageRect *a) {
    return b->x > a->x + a->width / 2 && 4 * page_gap_x(a, b) <= smaller(a->width, b->width) &&
           -2 * page_gap_y(a, b) >= larger(a->height, b->height);
}

/* Whether cell b is the next one below a, between the same upright lines. */
static bool is_below(const PageRect *b, const PageRect *a) {
    return b->y > a->y + a->height / 2 && 4 * page_gap_y(a, b) <= smaller(a->height, b->height) &&
           -4 * page_gap_x(a, b) >= 3 * larger(a->width, b->width);
}

/* The cell that is next to another one; -1: none is. */
static int next_to(BOXA *cells, int cell, bool (*is_next)(const PageRect *b, const PageRect *a)) {
    const PageRect a = rect_at(cells, cell);
    for (int i = 0; i < boxaGetCount(cells); i++) {
        const PageRect b = rect_at(cells, i);
        if (is_next(&b, &a)) return i;
    }
    return -1;
}

/* Whether somewhere two cells side by side have two below them. */
static bool has_rows_and_columns(BOXA *cells) {
    for (int i = 0; i < boxaGetCount(cells); i++) {
        const int right = next_to(cells, i, is_right_of);
        if (right >= 0 && next_to(cells, i, is_below) >= 0 && next_to(cells, right, is_below) >= 0)
            return true;
    }
    return false;
}

/* Whether the lines of a part of that size reach far beyond its outermost cells, at more sides than one out
 * of which a digit reaches. */
static bool is_open(BOXA *cells, const PageRect *usual, int width, int height) {
    PageRect all;
    BOX *extent;
    boxaGetExtent(cells, NULL, NULL, &extent);
    boxGetGeometry(extent, &all.x, &all.y, &all.width, &all.height);
    boxDestroy(&extent);
    const int sides = (4 * all.x > usual->width) + (4 * all.y > usual->height) +
                      (4 * (width - page_right_of(&all)) > usual->width) +
                      (4 * (height - page_bottom_of(&all)) > usual->height);
    return sides >= 3;
}

/* Where in a mask that isn't empty there is something. */
static PageRect extent_of(PIX *mask) {
    PageRect rect = {0};
    BOX *box = NULL;
    pixClipToForeground(mask, NULL, &box);
    if (box) boxGetGeometry(box, &rect.x, &rect.y, &rect.width, &rect.height);
    boxDestroy(&box);
    return rect;
}

/* Whether nothing that hangs together with a part on the page reaches far beyond it, as rules of the paper
 * do.
 */
static bool ends_at_sides(PIX *part, const PageRect *place, PIX *page) {
    const int slack = (int)larger(place->width, place->height) / 40;
    PIX *seed = pixCreateTemplate(page);
    pixRasterop(seed, place->x, place->y, place->width, place->height, PIX_SRC, part, 0, 0);
    PIX *connected = pixSeedfillBinary(NULL, seed, page, 8);
    const PageRect extent = extent_of(connected);
    pixDestroy(&seed);
    pixDestroy(&connected);
    return page_is_inside(&extent, place, slack);
}

/* Draws lines that run through most of a hole, both level and upright ones, all the way through. */
static void draw_lines_through(PIX *grid, const PageRect *hole, PIX *inside) {
    const int width = hole->width, height = hole->height;
    PIX *level = page_lines_of_runs(inside, true, width * 3 / 4, L_MAX(width / 8, 3)),
        *upright = page_lines_of_runs(inside, false, height * 3 / 4, L_MAX(height / 8, 3));
    l_int32 no_level, no_upright;
    pixZero(level, &no_level);
    pixZero(upright, &no_upright);
    if (!no_level && !no_upright) {
        pixDilateBrick(level, level, width / 2, 1);
        pixDilateBrick(upright, upright, 1, height / 2);
        pixRasterop(grid, hole->x, hole->y, width, height, PIX_SRC | PIX_DST, level, 0, 0);
        pixRasterop(grid, hole->x, hole->y, width, height, PIX_SRC | PIX_DST, upright, 0, 0);
    }
    pixDestroy(&level);
    pixDestroy(&upright);
}

/* Adds to a grid the thin lines within its holes: beside thick ones they may be too faint, and what is left
 * looks like rules of the paper. */
static void add_inner_lines(PIX *grid, BOXA *holes, const PageRect *place, PIX *page) {
    for (int i = 0; i < boxaGetCount(holes); i++) {
        const PageRect hole = rect_at(holes, i);
        BOX *box = boxCreate(place->x + hole.x, place->y + hole.y, hole.width, hole.height);
        PIX *inside = pixClipRectangle(page, box, NULL);
        draw_lines_through(grid, &hole, inside);
        pixDestroy(&inside);
        boxDestroy(&box);
    }
}

/* The holes of a part that may be cells. */
static BOXA *large_holes_of(PIX *part, PageRect *usual) {
    BOXA *holes = holes_of(part);
    *usual = usual_of(holes);
    drop_small(holes, usual);
    return holes;
}

static bool is_grid(BOXA *cells) {
    return boxaGetCount(cells) <= MOST_CELLS && has_rows_and_columns(cells);
}

/* The cells of a grid, which isn't changed, with its thin lines. */
static BOXA *with_inner_lines(PIX *grid, BOXA *holes, const PageRect *place, PIX *page, PageRect *usual) {
    PIX *lined = pixCopy(NULL, grid);
    add_inner_lines(lined, holes, place, page);
    BOXA *cells = large_holes_of(lined, usual);
    pixDestroy(&lined);
    return cells;
}

void page_add_cells(PIX *part, const PageRect *place, PIX *page, BOXA *cells) {
    PageRect usual;
    BOXA *holes = large_holes_of(part, &usual);
    if (is_grid(holes) && ends_at_sides(part, place, page)) {
        BOXA *all = with_inner_lines(part, holes, place, page, &usual);
        boxaDestroy(&holes);
        holes = all;
    }
    if (is_grid(holes) && !is_open(holes, &usual, place->width, place->height))
        for (int i = 0; i < boxaGetCount(holes); i++) {
            const PageRect hole = rect_at(holes, i);
            boxaAddBox(cells, boxCreate(place->x + hole.x, place->y + hole.y, hole.width, hole.height),
                       L_INSERT);
        }
    boxaDestroy(&holes);
}

int page_cell_of(BOXA *cells, const PageRect *box) {
    int64_t most = (int64_t)box->width * box->height / 2;
    int found = -1;
    for (int i = 0; i < boxaGetCount(cells); i++) {
        const PageRect cell = rect_at(cells, i);
        const int across = -page_gap_x(&cell, box), along = -page_gap_y(&cell, box);
        if (across <= 0 || along <= 0 || (int64_t)across * along < most) continue;
        most = (int64_t)across * along;
        found = i;
    }
    return found;
}
