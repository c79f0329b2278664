#include "data/page_comb.h"

#include "core/integers.h"
#include "data/page_fit.h"
#include "data/page_lines.h"

#include <math.h>
#include <stdbool.h>

/* A line's width: its pixels by its length. */
static int width_of_line(PIX *line, int length) {
    l_int32 pixels = 0;
    pixCountPixels(line, &pixels, NULL);
    return (int)divide_up(pixels, larger(length, 1));
}

/* Rows above a line in a part that are covered by a stroke at both ends, as of boxes that are open at the
 * top. */
static int height_of_ends(PIX *part, const PageRect *line) {
    const int wide = (int)larger(4, 2 * line->height), high = 3 * wide;
    const int left = (int)larger(0, line->x - wide), right = line->x + line->width - wide;
    int height = 0;
    while (height < line->y && page_side_covered(part, left, line->y - height - 1, 2 * wide, 1) > 0 &&
           page_side_covered(part, right, line->y - height - 1, 2 * wide, 1) > 0)
        height++;
    return height >= high ? height : 0;
}

/* Whether one of several strokes stands on a line near column x. */
static bool stands_near(BOXA *strokes, const PageRect *line, double x, double reach) {
    for (int i = 0; i < boxaGetCount(strokes); i++) {
        l_int32 left, top, width, height;
        boxaGetBoxGeometry(strokes, i, &left, &top, &width, &height);
        if (fabs(left + width / 2.0 - x) <= reach && top + height >= line->y - 2) return true;
    }
    return false;
}

/* Into how many cells of equal width teeth part a line; 0: they aren't a comb's. The cells at its ends are
 * bounded by taller strokes, and one tooth of many may be hidden by a digit. */
static int cells_between(BOXA *teeth, const PageRect *line, int height) {
    const int most = (int)smaller(24, 3 * line->width / L_MAX(height, 1));
    for (int cells = most; cells >= 2; cells--) {
        const double cell = (double)line->width / cells;
        int found = 0;
        for (int i = 1; i < cells; i++)
            found += stands_near(teeth, line, line->x + i * cell, cell / 8 + 1);
        if (found >= cells - 1 - (cells >= 5)) return cells;
    }
    return 0;
}

/* Leaves of strokes those that stand where a comb's teeth do. */
static void keep_teeth(PIX *strokes, const PageRect *line, int cells) {
    const double cell = (double)line->width / cells;
    const int reach = (int)lround(cell / 8) + 1;
    PIX *places = pixCreateTemplate(strokes);
    for (int i = 0; i <= cells; i++)
        pixRasterop(places, line->x + (int)lround(i * cell) - reach, 0, 2 * reach, pixGetHeight(strokes),
                    PIX_SET, NULL, 0, 0);
    pixAnd(strokes, strokes, places);
    pixDestroy(&places);
}

/* Thin upright strokes on a line in a part, at least `least` high; those at its ends have that height. */
static PIX *thin_strokes(PIX *part, const PageRect *line, int thickest, int height, int least) {
    const int top = line->y - height;
    PIX *band = pixCreateTemplate(part);
    pixRasterop(band, 0, top, pixGetWidth(part), height + line->height, PIX_SRC, part, 0, top);
    PIX *thick = pixOpenBrick(NULL, band, thickest + 1, 1), *thin = pixSubtract(NULL, band, thick);
    PIX *runs = pixOpenBrick(NULL, thin, 1, L_MAX(least / 3, 2));
    PIX *joined = pixCloseSafeBrick(NULL, runs, 3, least);
    PIX *strokes = pixSelectBySize(joined, 1, least, 8, L_SELECT_HEIGHT, L_SELECT_IF_GTE, NULL);
    pixDestroy(&band);
    pixDestroy(&thick);
    pixDestroy(&thin);
    pixDestroy(&runs);
    pixDestroy(&joined);
    return strokes;
}

/* The teeth of a comb, thin upright strokes on a line in a part: several as high as those at its ends, or
 * lower ones at equal distances; NULL where there are none. */
static PIX *teeth_of(PIX *part, const PageRect *line, int thickest, int height) {
    const int several = 4;
    l_int32 count = 0;
    PIX *teeth = thin_strokes(part, line, thickest, height, height * 8 / 10);
    pixCountConnComp(teeth, 8, &count);
    if (count >= several) return teeth;
    pixDestroy(&teeth);
    teeth = thin_strokes(part, line, thickest, height, L_MAX(height / 5, 2));
    BOXA *boxes = pixConnCompBB(teeth, 8);
    const int cells = cells_between(boxes, line, height);
    if (cells)
        keep_teeth(teeth, line, cells);
    else
        pixDestroy(&teeth);
    boxaDestroy(&boxes);
    return teeth;
}

/* The line that is nearest to the pixels of a mask that isn't empty; *off: how far they are from it, in the
 * mean. */
static PageLine course_of(PIX *mask, double *off) {
    PageFit fit = {0};
    for (int y = 0; y < pixGetHeight(mask); y++)
        for (int x = 0; x < pixGetWidth(mask); x++)
            if (page_is_inked(mask, x, y)) page_fit_add(&fit, x, y);
    const PageLine course = page_fit_line(&fit);
    *off = 0;
    for (int y = 0; y < pixGetHeight(mask); y++)
        for (int x = 0; x < pixGetWidth(mask); x++)
            if (page_is_inked(mask, x, y)) *off += fabs(y - page_line_at(&course, x)) / fit.count;
    return course;
}

/* Replaces a piece of a line, which a part has at `box`, by all of the line, which goes on in strokes that
 * lie along it; false: it is no straight line over the whole part. */
static bool follow_line(PIX *part, PageRect *box, PIX *line) {
    const int wide = width_of_line(line, box->width);
    double off;
    const PageLine course = course_of(line, &off);
    int covered = 0, left = pixGetWidth(part), right = 0;
    if (off > 0.4 * wide + 0.5) return false;
    for (int x = 0; x < pixGetWidth(part); x++) {
        bool inked = false;
        const double row = page_line_at(&course, x);
        for (int y = (int)floor(row - wide / 2.0); y <= (int)ceil(row + wide / 2.0); y++)
            if (page_is_inked(part, x, y)) {
                pixSetPixel(line, x, y, 1);
                inked = true;
            }
        covered += inked;
        if (inked) {
            left = (int)smaller(left, x);
            right = x;
        }
    }
    box->x = left;
    box->width = right - left + 1;
    return 100 * covered >= 95 * pixGetWidth(part);
}

/* The line under a number that touches it: thin, nearly as long as the part, about level, and low. It is seen
 * in level pieces of at least `run` pixels; aslant: each may be a row above the one before it, or below. NULL
 * if there is none. */
static PIX *underline_of(PIX *part, int run, bool aslant, PageRect *place) {
    const int width = pixGetWidth(part), height = pixGetHeight(part), off = aslant ? 1 : 0;
    const int thickest = (int)larger(3, lround(1.5 * page_stroke_width(part)));
    PIX *thick = pixOpenBrick(NULL, part, 1, thickest + 1), *thin = pixSubtract(NULL, part, thick);
    PIX *runs = pixOpenBrick(NULL, thin, run, 1);
    pixDilateBrick(runs, runs, 1, 1 + 2 * off);
    PIX *joined = pixCloseSafeBrick(NULL, runs, width / 4, 3), *line = NULL;
    PIXA *lines = NULL;
    BOXA *boxes = pixConnComp(joined, &lines, 8);
    for (int i = 0; i < boxaGetCount(boxes) && !line; i++) {
        PageRect box;
        boxaGetBoxGeometry(boxes, i, &box.x, &box.y, &box.width, &box.height);
        const bool nearly_all = 100 * box.width >= 85 * width;
        if (2 * box.width < width || 6 * (box.height - 2 * off) > height || 10 * box.y < 6 * height) continue;
        PIX *piece = pixaGetPix(lines, i, L_CLONE);
        line = pixCreateTemplate(part);
        pixRasterop(line, box.x, box.y, box.width, box.height, PIX_SRC, piece, 0, 0);
        if (aslant) pixAnd(line, line, thin);
        pixDestroy(&piece);
        if ((aslant || !nearly_all) && !follow_line(part, &box, line)) pixDestroy(&line);
        *place = box;
    }
    boxaDestroy(&boxes);
    pixaDestroy(&lines);
    pixDestroy(&thick);
    pixDestroy(&thin);
    pixDestroy(&runs);
    pixDestroy(&joined);
    return line;
}

/* Shorter pieces are between strokes that lie along the line. */
static PIX *find_underline(PIX *part, PageRect *place) {
    const int width = pixGetWidth(part);
    if (2 * width < 3 * pixGetHeight(part)) return NULL;
    PIX *line = underline_of(part, (int)larger(8, width / 10), false, place);
    if (!line) line = underline_of(part, (int)larger(8, width / 20), false, place);
    return line ? line : underline_of(part, (int)larger(8, width / 20), true, place);
}

void page_remove_underline(PIX *part) {
    PageRect place;
    PIX *line = find_underline(part, &place);
    if (!line) return;
    const int width = width_of_line(line, pixGetWidth(part)), height = height_of_ends(part, &place);
    PIX *teeth = height ? teeth_of(part, &place, width + 1, height) : NULL;
    if (!height || teeth) page_remove_but_crossings(part, line, true, width);
    if (teeth) page_remove_but_crossings(part, teeth, false, width);
    pixDestroy(&line);
    pixDestroy(&teeth);
}
