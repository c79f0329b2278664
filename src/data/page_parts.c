#include "data/page_parts.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/page_strike.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIN_HEIGHT = 9,  /* pixels of a digit */
    MAX_PARTS = 4000 /* more are noise or a printed page in full */
};

static int right_of(const PageRect *box) {
    return box->x + box->width;
}

static int bottom_of(const PageRect *box) {
    return box->y + box->height;
}

static int gap(int begin, int end, int other_begin, int other_end) {
    return (int)(larger(begin, other_begin) - smaller(end, other_end));
}

int page_gap_x(const PageRect *a, const PageRect *b) {
    return gap(a->x, right_of(a), b->x, right_of(b));
}

int page_gap_y(const PageRect *a, const PageRect *b) {
    return gap(a->y, bottom_of(a), b->y, bottom_of(b));
}

PageRect page_rect_united(const PageRect *a, const PageRect *b) {
    PageRect both = {(int)smaller(a->x, b->x), (int)smaller(a->y, b->y), 0, 0};
    both.width = (int)larger(right_of(a), right_of(b)) - both.x;
    both.height = (int)larger(bottom_of(a), bottom_of(b)) - both.y;
    return both;
}

void page_shapes_free(PageShapes *shapes) {
    for (int i = 0; i < shapes->count; i++)
        pixDestroy(&shapes->shapes[i].mask);
    mem_free(shapes->shapes);
    *shapes = (PageShapes){0};
}

/* Connected parts but for single pixels. */
static PageShapes connected_parts(PIX *mask) {
    PIXA *parts = NULL;
    BOXA *boxes = pixConnComp(mask, &parts, 8);
    PageShapes found = {0};
    const int count = boxaGetCount(boxes);
    found.shapes = mem_new((size_t)larger(count, 1), sizeof *found.shapes);
    for (int i = 0; i < count; i++) {
        PageShape shape = {0};
        boxaGetBoxGeometry(boxes, i, &shape.box.x, &shape.box.y, &shape.box.width, &shape.box.height);
        if (shape.box.width < 3 && shape.box.height < 3) continue;
        shape.mask = pixaGetPix(parts, i, L_CLONE);
        pixCountPixels(shape.mask, &shape.area, NULL);
        found.shapes[found.count++] = shape;
    }
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    return found;
}

static int compare_heights(const void *a, const void *b) {
    return ((const PageShape *)b)->box.height - ((const PageShape *)a)->box.height;
}

/* The height below which parts hold half of the area: that of digits, among specks and dots. */
static int typical_height(PageShapes *shapes) {
    int64_t all = 0, taller = 0;
    for (int i = 0; i < shapes->count; i++)
        all += shapes->shapes[i].area;
    if (shapes->count) qsort(shapes->shapes, (size_t)shapes->count, sizeof *shapes->shapes, compare_heights);
    for (int i = 0; i < shapes->count; i++)
        if (2 * (taller += shapes->shapes[i].area) >= all) return shapes->shapes[i].box.height;
    return 0;
}

/* Whether a pen left a gap in one digit: one part is above the other, nearer than the strokes are wide. */
static bool is_broken(const PageShape *a, const PageShape *b) {
    const PageRect both = page_rect_united(&a->box, &b->box);
    const int y = page_gap_y(&a->box, &b->box), narrow = (int)smaller(a->box.width, b->box.width);
    const bool low = a->box.height <= 2 * a->box.width && b->box.height <= 2 * b->box.width;
    return low && both.height >= both.width && 10 * -page_gap_x(&a->box, &b->box) >= 5 * narrow &&
           8 * y <= both.height && y <= fmin(page_stroke_width(a->mask), page_stroke_width(b->mask));
}

bool page_is_underline(const PageShape *a, const PageShape *b) {
    return a->box.width >= 3 * a->box.height && 10 * a->box.width > 13 * b->box.width &&
           a->box.y >= bottom_of(&b->box);
}

/* Whether parts belong to one digit of about this height: one above or inside the other, or a piece of a
 * stroke beside it. */
static bool belong_together(const PageShape *a, const PageShape *b, int height) {
    const PageRect both = page_rect_united(&a->box, &b->box);
    const int x = page_gap_x(&a->box, &b->box), y = page_gap_y(&a->box, &b->box);
    const int narrow = (int)smaller(a->box.width, b->box.width);
    const int low = (int)smaller(a->box.height, b->box.height);
    if (is_broken(a, b)) return true;
    if (page_is_underline(a, b) || page_is_underline(b, a) || both.width > 2 * larger(height, both.height))
        return false;
    if (10 * both.height > 15 * height && both.height > larger(a->box.height, b->box.height) * 12 / 10)
        return false;
    if (x < 0 && y < 0 && 10 * -x >= 4 * narrow && 10 * -y >= 4 * low) return true; /* one within the other */
    const bool piece = 3 * low < height; /* not a digit by itself */
    if (10 * -x >= (piece ? 3 : 5) * narrow) return 4 * y <= height;
    return piece && 10 * x <= height && 10 * y <= height && 10 * both.width <= 14 * both.height;
}

void page_shape_unite(PageShape *a, PageShape *b) {
    const PageRect both = page_rect_united(&a->box, &b->box);
    PIX *mask = pixCreate(both.width, both.height, 1);
    const PageShape *const from[] = {a, b};
    for (int i = 0; i < 2; i++)
        pixRasterop(mask, from[i]->box.x - both.x, from[i]->box.y - both.y, from[i]->box.width,
                    from[i]->box.height, PIX_SRC | PIX_DST, from[i]->mask, 0, 0);
    pixDestroy(&a->mask);
    pixDestroy(&b->mask);
    a->mask = mask;
    a->box = both;
    a->area += b->area;
}

void page_shape_remove(PageShapes *shapes, int i) {
    pixDestroy(&shapes->shapes[i].mask);
    shapes->shapes[i] = shapes->shapes[--shapes->count];
}

static void unite_all(PageShapes *shapes, int height) {
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < shapes->count; i++)
            for (int j = i + 1; j < shapes->count; j++)
                if (belong_together(&shapes->shapes[i], &shapes->shapes[j], height)) {
                    page_shape_unite(&shapes->shapes[i], &shapes->shapes[j]);
                    page_shape_remove(shapes, j--);
                    changed = true;
                }
    }
}

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
    const int left = in->x - out->x, above = in->y - out->y, right = right_of(out) - right_of(in),
              below = bottom_of(out) - bottom_of(in);
    return smaller(smaller(left, right), smaller(above, below)) > 0 &&
           has_ink(a, out->x, in->y, left, in->height) &&
           has_ink(a, right_of(in), in->y, right, in->height) &&
           has_ink(a, in->x, out->y, in->width, above) && has_ink(a, in->x, bottom_of(in), in->width, below);
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
        if (surrounds(shape, other))
            inside = inside.width ? page_rect_united(&inside, &other->box) : other->box;
    }
    const int off_x = abs(2 * inside.x + inside.width - 2 * box->x - box->width),
              off_y = abs(2 * inside.y + inside.height - 2 * box->y - box->height);
    return held >= several ||
           (4 * off_x <= box->width && 4 * off_y <= box->height &&
            (10 * inside.height >= 3 * box->height || 10 * inside.width >= 3 * box->width));
}

static void remove_enclosures(PageShapes *shapes) {
    for (int i = shapes->count - 1; i >= 0; i--)
        if (is_enclosure(shapes, i)) page_shape_remove(shapes, i);
}

/* Whether a flat shape is wider than another one that is near it, above or below. */
static bool is_wider_beside(const PageRect *flat, const PageRect *other, bool below) {
    const int overlap = -page_gap_x(flat, other), gap = page_gap_y(flat, other);
    return (below ? other->y >= bottom_of(flat) : bottom_of(other) <= flat->y) && gap <= other->height &&
           other->height >= 2 * flat->height && 2 * overlap >= other->width &&
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

/* Half the width of a shape at its thickest. */
static double thickest(PIX *mask) {
    PIX *bordered = pixAddBorder(mask, 1, 0);
    PIX *distance = pixDistanceFunction(bordered, 8, 8, L_BOUNDARY_BG);
    l_uint32 most = 0;
    pixGetRankValue(distance, 1, 1.0f, &most);
    pixDestroy(&distance);
    pixDestroy(&bordered);
    return most - 0.5; /* the middle pixel counts as a whole one */
}

/* Whether a shape is made of strokes: a blot or dot is nearly as thick as it is large. One of a digit's
 * height may be a digit whose loops are filled; height: that of digits. */
static bool is_of_strokes(const PageShape *shape, int height) {
    const double long_side = (double)larger(shape->box.width, shape->box.height);
    const double filled = (double)shape->area / ((double)shape->box.width * shape->box.height);
    const bool slim = 5 * smaller(shape->box.width, shape->box.height) < 2 * long_side,
               low = shape->box.height < larger(height / 2, 2 * MIN_HEIGHT);
    return thickest(shape->mask) / sqrt(shape->area) < (low ? 0.34 : 0.4) &&
           (slim || filled < (low ? 0.75 : 0.85));
}

static bool has_proportions(const PageShape *shape, int height) {
    const PageRect *box = &shape->box;
    return box->height >= MIN_HEIGHT && 10 * box->height >= 4 * height && box->width <= 4 * box->height &&
           box->height <= 16 * box->width + 12;
}

/* Whether nearly all of a large shape lies along the sides of its box, as the edge of a sheet does. */
static bool is_along_sides(const PageShape *shape) {
    const PageRect *box = &shape->box;
    l_int32 inner = 0;
    if (smaller(box->width, box->height) < 12 * MIN_HEIGHT) return false;
    BOX *middle = boxCreate(box->width / 8, box->height / 8, box->width * 6 / 8, box->height * 6 / 8);
    pixCountPixelsInRect(shape->mask, middle, &inner, NULL);
    boxDestroy(&middle);
    return 20 * inner <= shape->area;
}

/* Whether a large shape is a thin line around nearly all of its box, as a circle is. */
static bool is_thin_ring(const PageShape *shape) {
    const double box = (double)shape->box.width * shape->box.height;
    l_int32 hole = 0;
    if (smaller(shape->box.width, shape->box.height) < 12 * MIN_HEIGHT) return false;
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
        held += j != i && holds(&shapes->shapes[i], other, 40) && has_proportions(other, MIN_HEIGHT) &&
                is_of_strokes(other, shapes->shapes[i].box.height);
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
        digits += 10 * other->box.height < size && has_proportions(other, other->box.height) &&
                  is_of_strokes(other, other->box.height);
    }
    return digits >= DIGITS;
}

static void remove_drawings(PageShapes *shapes) {
    for (int i = shapes->count - 1; i >= 0; i--)
        if (is_drawing(shapes, i)) page_shape_remove(shapes, i);
}

/* Moves a shape to others, which have room for it. */
static void move_shape(PageShapes *shapes, int i, PageShapes *others) {
    others->shapes[others->count++] = shapes->shapes[i];
    shapes->shapes[i] = shapes->shapes[--shapes->count];
}

/* Whether a part that is too small for a digit of this height belongs to writing of its own, such as a number
 * beside a larger one: it is away from anything larger, and has one of about its size beside it. */
static bool is_small_writing(const PageShapes *shapes, int i, int height) {
    const PageRect *box = &shapes->shapes[i].box;
    bool beside = false;
    if (!has_proportions(&shapes->shapes[i], box->height) || 2 * box->height >= height ||
        10 * box->height < height)
        return false;
    for (int j = 0; j < shapes->count; j++) {
        const PageRect *other = &shapes->shapes[j].box;
        const int x = page_gap_x(box, other), y = page_gap_y(box, other);
        const int low = (int)smaller(box->height, other->height);
        if (j == i) continue;
        if (other->height >= 2 * box->height && 2 * larger(x, y) <= box->height) return false;
        beside = beside ||
                 (2 * larger(box->height, other->height) <= 3 * low && 2 * x <= 5 * low && 2 * -y >= low);
    }
    return beside;
}

/* Takes out what is_small_writing; freed by page_shapes_free. */
static PageShapes take_small(PageShapes *shapes, int height) {
    PageShapes small = {.shapes = mem_new((size_t)larger(shapes->count, 1), sizeof *small.shapes)};
    bool *taken = mem_new((size_t)larger(shapes->count, 1), sizeof *taken);
    for (int i = 0; i < shapes->count; i++)
        taken[i] = is_small_writing(shapes, i, height);
    for (int i = shapes->count - 1; i >= 0; i--) {
        if (!taken[i]) continue;
        shapes->shapes[i].small = true;
        move_shape(shapes, i, &small);
    }
    mem_free(taken);
    return small;
}

/* Unites parts to shapes that have a digit's proportions; the others go to the pieces. */
static void make_shapes(PageShapes *shapes, PageShapes *pieces) {
    const int height = typical_height(shapes);
    unite_all(shapes, height);
    for (int i = shapes->count - 1; i >= 0; i--)
        if (!is_of_strokes(&shapes->shapes[i], height))
            page_shape_remove(shapes, i);
        else if (!has_proportions(&shapes->shapes[i], height))
            move_shape(shapes, i, pieces);
        else
            shapes->shapes[i].struck = page_is_struck_out(shapes->shapes[i].mask);
}

PageShapes page_find_shapes(PIX *mask, PageShapes *pieces) {
    PageShapes shapes = connected_parts(mask);
    remove_edges(&shapes);
    remove_drawings(&shapes);
    int height = typical_height(&shapes);
    for (int i = shapes.count - 1; i >= 0; i--)
        if (20 * larger(shapes.shapes[i].box.width, shapes.shapes[i].box.height) < height)
            page_shape_remove(&shapes, i);
    if (shapes.count > MAX_PARTS) page_shapes_free(&shapes);
    remove_enclosures(&shapes);
    remove_fraction_bars(&shapes);
    height = typical_height(&shapes);
    for (int i = shapes.count - 1; i >= 0; i--) /* several dots don't make a digit */
        if (!is_of_strokes(&shapes.shapes[i], height)) page_shape_remove(&shapes, i);
    *pieces = (PageShapes){.shapes = mem_new((size_t)larger(shapes.count, 1), sizeof *pieces->shapes)};
    PageShapes small = take_small(&shapes, typical_height(&shapes));
    make_shapes(&shapes, pieces);
    make_shapes(&small, pieces);
    while (small.count)
        move_shape(&small, 0, &shapes);
    page_shapes_free(&small);
    return shapes;
}
