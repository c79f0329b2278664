#include "data/page_drawn.h"

#include "core/integers.h"

#include <stdlib.h>

static bool has_ink(const PageShape *shape, int x, int y, int width, int height) {
    l_int32 none = 1;
    BOX *box = boxCreate(x - shape->box.x, y - shape->box.y, width, height);
    PIX *part = pixClipRectangle(shape->mask, box, NULL);
    if (part) pixZero(part, &none);
    pixDestroy(&part);
    boxDestroy(&box);
    return !none;
}

/* Whether a has ink to all four sides of b. */
static bool surrounds(const PageShape *a, const PageShape *b) {
    const PageRect *out = &a->box, *in = &b->box;
    const int left = in->x - out->x, above = in->y - out->y, right = page_right_of(out) - page_right_of(in),
              below = page_bottom_of(out) - page_bottom_of(in);
    return smaller(smaller(left, right), smaller(above, below)) > 0 &&
           has_ink(a, out->x, in->y, left, in->height) &&
           has_ink(a, page_right_of(in), in->y, right, in->height) &&
           has_ink(a, in->x, out->y, in->width, above) &&
           has_ink(a, in->x, page_bottom_of(in), in->width, below);
}

/* Whether b lies in a's box, and isn't a speck beside it: a is at most `most` times as large. */
static bool holds(const PageShape *a, const PageShape *b, int most) {
    const PageRect both = page_rect_united(&a->box, &b->box);
    return most * larger(b->box.width, b->box.height) >= a->box.height && both.width == a->box.width &&
           both.height == a->box.height;
}

/* Whether a box is so near to a shape's ink that it may be a piece of it, cut off where a rule was removed.
 */
static bool is_close(const PageShape *shape, const PageRect *box) {
    enum { NEAR = 2 };
    return has_ink(shape, box->x - NEAR, box->y - NEAR, box->width + 2 * NEAR, box->height + 2 * NEAR);
}

/* Whether a shape is drawn around others: as a ring around a number what it surrounds is large against it,
 * and in its middle, as what an outlined letter has within isn't; or as the edge of a note, which may be seen
 * on some sides only, it holds much that is as high as wide and far smaller. */
static bool is_enclosure(const PageShapes *shapes, int i) {
    const int several = 3;
    const PageShape *shape = &shapes->shapes[i];
    const PageRect *box = &shape->box;
    PageRect inside = {0};
    int held = 0;
    for (int j = 0; j < shapes->count; j++) {
        const PageShape *other = &shapes->shapes[j];
        if (j == i || !holds(shape, other, 12)) continue;
        held += 3 * other->box.height <= box->height && 2 * other->box.height >= other->box.width &&
                !is_close(shape, &other->box);
        if (page_is_of_strokes(other, box->height) && surrounds(shape, other)) /* no dot, as a 0 may have */
            inside = inside.width ? page_rect_united(&inside, &other->box) : other->box;
    }
    const int off_x = abs(2 * inside.x + inside.width - 2 * box->x - box->width),
              off_y = abs(2 * inside.y + inside.height - 2 * box->y - box->height);
    return held >= several ||
           (4 * off_x <= box->width && 4 * off_y <= box->height &&
            (10 * inside.height >= 3 * box->height || 10 * inside.width >= 3 * box->width));
}

static void remove_rings(PageShapes *shapes) {
    for (int i = shapes->count - 1; i >= 0; i--)
        if (is_enclosure(shapes, i)) page_shape_remove(shapes, i);
}

/* Whether a flat shape is wider than another one that is near it, above or below. */
static bool is_wider_beside(const PageRect *flat, const PageRect *other, bool below) {
    const int overlap = -page_gap_x(flat, other), gap = page_gap_y(flat, other);
    return (below ? other->y >= page_bottom_of(flat) : page_bottom_of(other) <= flat->y) &&
           gap <= other->height && other->height >= 2 * flat->height && 2 * overlap >= other->width &&
           10 * flat->width >= 12 * other->width;
}

/* Whether a shape is the bar of a fraction: flat, between others that are narrower. */
static bool is_fraction_bar(const PageShapes *shapes, int i) {
    const PageRect *box = &shapes->shapes[i].box;
    bool above = false, below = false;
    if (box->width < 4 * box->height) return false;
    for (int j = 0; j < shapes->count; j++) {
        if (j == i) continue;
        above = above || is_wider_beside(box, &shapes->shapes[j].box, false);
        below = below || is_wider_beside(box, &shapes->shapes[j].box, true);
    }
    return above && below;
}

static void remove_fraction_bars(PageShapes *shapes) {
    for (int i = shapes->count - 1; i >= 0; i--)
        if (is_fraction_bar(shapes, i)) page_shape_remove(shapes, i);
}

/* Whether nearly all of a large shape lies along the sides of its box, as the edge of a sheet does. */
static bool is_along_sides(const PageShape *shape) {
    const PageRect *box = &shape->box;
    l_int32 inner = 0;
    if (smaller(box->width, box->height) < 12 * PAGE_MIN_HEIGHT) return false;
    BOX *middle = boxCreate(box->width / 8, box->height / 8, box->width * 6 / 8, box->height * 6 / 8);
    pixCountPixelsInRect(shape->mask, middle, &inner, NULL);
    boxDestroy(&middle);
    return 20 * inner <= shape->area;
}

/* Whether a large shape is a thin line around nearly all of its box, as a circle is. */
static bool is_thin_ring(const PageShape *shape) {
    const double box = (double)shape->box.width * shape->box.height;
    l_int32 hole = 0;
    if (smaller(shape->box.width, shape->box.height) < 12 * PAGE_MIN_HEIGHT) return false;
    PIX *holes = pixHolesByFilling(shape->mask, 4);
    pixCountPixels(holes, &hole, NULL);
    pixDestroy(&holes);
    return 12 * page_stroke_width(shape->mask) <= shape->box.height && 10.0 * (hole + shape->area) >= 7 * box;
}

/* Whether `least` shapes within shape i may be digits: each is at most 40 times as small. */
static bool has_written_within(const PageShapes *shapes, int i, int least) {
    int held = 0;
    for (int j = 0; j < shapes->count && held < least; j++) {
        const PageShape *other = &shapes->shapes[j];
        held += j != i && holds(&shapes->shapes[i], other, 40) &&
                page_has_proportions(other, PAGE_MIN_HEIGHT) &&
                page_is_of_strokes(other, shapes->shapes[i].box.height);
    }
    return held >= least;
}

/* Removes the edges of sheets, and circles: they have writing within. */
static void remove_edges(PageShapes *shapes) {
    const int in_edge = 2, in_ring = 1;
    for (int i = shapes->count - 1; i >= 0; i--)
        if ((is_along_sides(&shapes->shapes[i]) && has_written_within(shapes, i, in_edge)) ||
            (is_thin_ring(&shapes->shapes[i]) && has_written_within(shapes, i, in_ring)))
            page_shape_remove(shapes, i);
}

/* Whether a part is a drawing of thin lines, such as the axes of a graph: its lines are far thinner than
 * those of a digit of its size would be, and digits are beside it that are less than a tenth as large. */
static bool is_drawing(const PageShapes *shapes, int i) {
    enum { DIGITS = 3 };
    const PageShape *part = &shapes->shapes[i];
    const int size = (int)larger(part->box.width, part->box.height);
    int digits = 0;
    if (size < 40 * page_stroke_width(part->mask)) return false;
    for (int j = 0; j < shapes->count && digits < DIGITS; j++) {
        const PageShape *other = &shapes->shapes[j];
        digits += 10 * other->box.height < size && page_has_proportions(other, other->box.height) &&
                  page_is_of_strokes(other, other->box.height);
    }
    return digits >= DIGITS;
}

void page_remove_drawings(PageShapes *shapes) {
    remove_edges(shapes);
    for (int i = shapes->count - 1; i >= 0; i--)
        if (is_drawing(shapes, i)) page_shape_remove(shapes, i);
}

void page_remove_enclosures(PageShapes *shapes) {
    remove_rings(shapes);
    remove_fraction_bars(shapes);
}
