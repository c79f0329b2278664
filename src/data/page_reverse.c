#include "data/page_reverse.h"

#include "core/integers.h"
#include "core/mem.h"

#include <math.h>

/* Whether a shape is a stroke that turns: thin, about twice as long as high, and far longer than its box from
 * corner to corner. A hole in a digit is thicker, or not as long. */
static bool is_stroke(const PageShape *shape) {
    const double width = page_stroke_width(shape->mask), length = shape->area / width,
                 height = shape->box.height;
    return width <= 0.22 * height && length >= 1.9 * height &&
           length >= 1.5 * hypot(shape->box.width, height);
}

/* What lies from `from` to `to` pixels around a mask; by distances, as a dilation takes time with the third
 * power of a large hole's side. */
static PIX *ring_around(PIX *mask, int from, int to) {
    PIX *outside = pixInvert(NULL, mask), *distance = pixDistanceFunction(outside, 8, 16, L_BOUNDARY_FG);
    PIX *ring = pixCreateTemplate(mask);
    const int width = pixGetWidth(ring), height = pixGetHeight(ring);
    for (int y = 0; y < height; y++) {
        const l_uint32 *line = pixGetData(distance) + (int64_t)y * pixGetWpl(distance);
        l_uint32 *marked = pixGetData(ring) + (int64_t)y * pixGetWpl(ring);
        for (int x = 0; x < width; x++) {
            const int apart = GET_DATA_TWO_BYTES(line, x);
            if (apart >= from && apart <= to) SET_DATA_BIT(marked, x);
        }
    }
    pixDestroy(&outside);
    pixDestroy(&distance);
    return ring;
}

/* Whether ink surrounds a hole for a quarter of its height. */
static bool lies_on_patch(PIX *mask, const PageShape *shape) {
    const int reach = (int)larger(2, shape->box.height / 4), margin = reach + 2;
    l_int32 all = 0, on_ink = 0;
    PIX *inside = pixAddBorder(shape->mask, margin, 0), *ring = ring_around(inside, 2, reach + 1);
    pixCountPixels(ring, &all, NULL);
    PIX *ground = pixCreateTemplate(ring);
    pixRasterop(ground, 0, 0, pixGetWidth(ground), pixGetHeight(ground), PIX_SRC, mask, shape->box.x - margin,
                shape->box.y - margin);
    pixAnd(ring, ring, ground);
    pixCountPixels(ring, &on_ink, NULL);
    pixDestroy(&inside);
    pixDestroy(&ring);
    pixDestroy(&ground);
    return 100 * (int64_t)on_ink >= 90 * (int64_t)all;
}

/* Whether two shapes stand beside each other and are about as high. */
static bool are_beside(const PageRect *a, const PageRect *b) {
    const int low = (int)smaller(a->height, b->height);
    return 10 * larger(a->height, b->height) <= 13 * low && page_gap_x(a, b) <= low &&
           2 * -page_gap_y(a, b) >= low;
}

/* Whether a hole is too low for a digit, or a full area, such as a cell's. */
static bool is_no_stroke(const PageShape *hole) {
    const PageRect *box = &hole->box;
    return box->height < PAGE_MIN_HEIGHT ||
           (2 * box->width > box->height && 5 * (int64_t)hole->area > 4 * (int64_t)box->width * box->height);
}

/* Holes in the ink that may be strokes. */
static PageShapes holes_of(PIX *mask) {
    PIXA *parts = NULL;
    PIX *holes = pixHolesByFilling(mask, 4);
    BOXA *boxes = pixConnComp(holes, &parts, 8);
    const int count = boxaGetCount(boxes);
    PageShapes shapes = {.shapes = mem_new((size_t)larger(count, 1), sizeof *shapes.shapes)};
    for (int i = 0; i < count; i++) {
        PageShape shape = {.mask = pixaGetPix(parts, i, L_CLONE)};
        boxaGetBoxGeometry(boxes, i, &shape.box.x, &shape.box.y, &shape.box.width, &shape.box.height);
        pixCountPixels(shape.mask, &shape.area, NULL);
        if (is_no_stroke(&shape))
            pixDestroy(&shape.mask);
        else
            shapes.shapes[shapes.count++] = shape;
    }
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    pixDestroy(&holes);
    return shapes;
}

/* `reversed` is set for digits: strokes that turn, and what stands beside one, as a 1 may. */
PageShapes page_find_reversed(PIX *mask) {
    PageShapes shapes = holes_of(mask);
    for (int i = shapes.count - 1; i >= 0; i--)
        if (!lies_on_patch(mask, &shapes.shapes[i])) page_shape_remove(&shapes, i);
    bool *stroke = mem_new((size_t)larger(shapes.count, 1), sizeof *stroke);
    for (int i = 0; i < shapes.count; i++)
        stroke[i] = shapes.shapes[i].reversed = is_stroke(&shapes.shapes[i]);
    for (int i = 0; i < shapes.count; i++)
        for (int j = 0; j < shapes.count && !stroke[i]; j++)
            if (stroke[j] && are_beside(&shapes.shapes[i].box, &shapes.shapes[j].box))
                shapes.shapes[i].reversed = true;
    mem_free(stroke);
    return shapes;
}

int page_reversed_level(PIX *inverse, const PageShape *shape) {
    l_float32 level = 0;
    PIX *near = pixDilateBrick(NULL, shape->mask, 3, 3), *ground = pixInvert(NULL, near);
    pixGetRankValueMasked(inverse, ground, shape->box.x, shape->box.y, 1, 0.5f, &level, NULL);
    pixDestroy(&near);
    pixDestroy(&ground);
    return (int)level;
}

/* Whether a shape is so large that what is within is a hole in it, not written on it. */
static bool is_far_larger(const PageShape *shape, const PageShape *within) {
    return 2 * shape->box.height > 5 * within->box.height;
}

/* Whether another one stands beside a digit, as in a number. */
static bool has_neighbour(const PageShapes *reversed, int i) {
    for (int j = 0; j < reversed->count; j++)
        if (j != i && reversed->shapes[j].reversed &&
            are_beside(&reversed->shapes[i].box, &reversed->shapes[j].box))
            return true;
    return false;
}

/* The shape that a hole is in; or NULL. */
static const PageShape *patch_under(const PageShapes *shapes, const PageShape *hole) {
    for (int i = 0; i < shapes->count; i++)
        if (page_is_inside(&hole->box, &shapes->shapes[i].box, 0)) return &shapes->shapes[i];
    return NULL;
}

static bool are_as_large(const PageRect *a, const PageRect *b) {
    return 10 * larger(a->height, b->height) <= 11 * smaller(a->height, b->height) &&
           10 * larger(a->width, b->width) <= 11 * smaller(a->width, b->width);
}

/* Whether a hole is in a patch that is as large as another, on which a digit lies: as a 1 on one of several
 * discs. */
static bool is_like_others(const PageShapes *shapes, const PageShapes *holes, int i) {
    const PageShape *own = patch_under(shapes, &holes->shapes[i]);
    for (int j = 0; j < holes->count && own; j++) {
        if (!holes->shapes[j].reversed) continue;
        const PageShape *other = patch_under(shapes, &holes->shapes[j]);
        if (other && other != own && are_as_large(&own->box, &other->box)) return true;
    }
    return false;
}

/* Whether a shape is as wide as high, and full but for a hole that isn't low against it, as a disc is. A
 * thick 0 is too, but its hole is wider than a stroke. */
static bool is_disc(const PageShape *shape, const PageShape *hole) {
    const PageRect *out = &shape->box;
    return 10 * larger(out->width, out->height) <= 11 * smaller(out->width, out->height) &&
           10 * hole->box.height >= 3 * out->height &&
           10 * (shape->area + hole->area) >= 7 * out->width * out->height;
}

/* Whether a hole is as slim as a 1. */
static bool is_slim(const PageShape *hole) {
    return hole->area <= 0.22 * (pow(hole->box.width, 2) + pow(hole->box.height, 2));
}

/* On a disc every stroke is a digit. Elsewhere a hole that is far smaller than what it is in isn't one,
 * unless another stands beside it. */
static bool is_digit(const PageShapes *shapes, const PageShapes *holes, int i) {
    const PageShape *hole = &holes->shapes[i], *patch = patch_under(shapes, hole);
    if (patch && is_disc(patch, hole) && (hole->reversed || is_slim(hole))) return true;
    if (patch && is_far_larger(patch, hole) && !has_neighbour(holes, i)) return false;
    return hole->reversed || is_like_others(shapes, holes, i);
}

static void drop_holes(const PageShapes *shapes, PageShapes *holes) {
    bool *digit = mem_new((size_t)larger(holes->count, 1), sizeof *digit);
    for (int i = 0; i < holes->count; i++)
        digit[i] = is_digit(shapes, holes, i);
    for (int i = holes->count - 1; i >= 0; i--) {
        holes->shapes[i].reversed = true;
        if (!digit[i]) page_shape_remove(holes, i);
    }
    mem_free(digit);
}

void page_add_reversed(PageShapes *shapes, PageShapes *reversed) {
    drop_holes(shapes, reversed);
    PageShape *all = mem_new((size_t)larger(shapes->count + reversed->count, 1), sizeof *all);
    int count = 0;
    for (int i = 0; i < shapes->count; i++) {
        bool patch = false; /* or ink within a digit, as in a 0 */
        for (int j = 0; j < reversed->count && !patch; j++)
            patch = page_is_inside(&reversed->shapes[j].box, &shapes->shapes[i].box, 0) ||
                    page_is_inside(&shapes->shapes[i].box, &reversed->shapes[j].box, 0);
        if (patch)
            pixDestroy(&shapes->shapes[i].mask);
        else
            all[count++] = shapes->shapes[i];
    }
    for (int j = 0; j < reversed->count; j++)
        all[count++] = reversed->shapes[j];
    mem_free(shapes->shapes);
    shapes->shapes = all;
    shapes->count = count;
    reversed->count = 0;
}

/* Pixels of a mask that lie on a shape's. */
static int pixels_within(PIX *mask, const PageShape *shape) {
    l_int32 count = 0;
    PIX *both = pixCopy(NULL, shape->mask);
    pixRasterop(both, 0, 0, pixGetWidth(both), pixGetHeight(both), PIX_SRC & PIX_DST, mask, shape->box.x,
                shape->box.y);
    pixCountPixels(both, &count, NULL);
    pixDestroy(&both);
    return count;
}

/* The patches that digits lie on, where they are thicker than strokes, and a little more. */
static PIX *patches_under(PIX *mask, const PageShapes *digits) {
    PIX *near = pixCreateTemplate(mask);
    int lowest = pixGetHeight(mask);
    for (int i = 0; i < digits->count; i++) {
        const PageRect *box = &digits->shapes[i].box;
        const int reach = (int)larger(2, box->height / 4);
        pixRasterop(near, box->x - reach, box->y - reach, box->width + 2 * reach, box->height + 2 * reach,
                    PIX_SET, NULL, 0, 0);
        lowest = (int)smaller(lowest, box->height);
    }
    const int side = (int)larger(3, lowest / 4);
    PIX *thick = pixOpenBrick(NULL, mask, side, side);
    pixAnd(near, near, thick);
    PIX *filled = pixSeedfillBinary(NULL, near, thick, 8), *patches = pixDilateBrick(NULL, filled, 5, 5);
    pixDestroy(&near);
    pixDestroy(&thick);
    pixDestroy(&filled);
    return patches;
}

static void remove_within(const PageRect *box, PageShapes *holes) {
    for (int i = holes->count - 1; i >= 0; i--)
        if (page_is_inside(&holes->shapes[i].box, box, 0)) page_shape_remove(holes, i);
}

/* The ink of patches beside the shapes on them. */
static double level_between(PIX *patches, PIX *ink, const PageShapes *shapes) {
    PIX *rest = pixCopy(NULL, patches);
    for (int i = 0; i < shapes->count; i++) {
        const PageRect *box = &shapes->shapes[i].box;
        pixRasterop(rest, box->x, box->y, box->width, box->height, PIX_NOT(PIX_SRC) & PIX_DST,
                    shapes->shapes[i].mask, 0, 0);
    }
    const double level = page_mean_where(ink, rest, 0, 0);
    pixDestroy(&rest);
    return level;
}

/* Removes pieces of patches. What is clearly stronger than they are is writing in a shadow; the holes in it
 * are no digits. */
static void remove_pieces(PIX *patches, PIX *ink, PageShapes *shapes, PageShapes *holes) {
    const double stronger = 1.25 * level_between(patches, ink, shapes);
    for (int i = shapes->count - 1; i >= 0; i--) {
        const PageShape *shape = &shapes->shapes[i];
        if (page_mean_where(ink, shape->mask, shape->box.x, shape->box.y) >= stronger)
            remove_within(&shape->box, holes);
        else if (2 * pixels_within(patches, shape) > shape->area)
            page_shape_remove(shapes, i);
    }
}

static bool overlap(const PageRect *a, const PageRect *b) {
    return page_gap_x(a, b) < 0 && page_gap_y(a, b) < 0;
}

bool page_keep_reversed(PIX *mask, PIX *ink, const PageShapes *before, PageShapes *from, PageShapes *shapes,
                        PageShapes *to) {
    drop_holes(before, from);
    if (!from->count) return false;
    PIX *patches = patches_under(mask, from);
    remove_pieces(patches, ink, shapes, from);
    pixDestroy(&patches);
    for (int i = 0; i < from->count; i++)
        for (int j = to->count - 1; j >= 0; j--)
            if (overlap(&from->shapes[i].box, &to->shapes[j].box)) page_shape_remove(to, j);
    PageShape *all = mem_new((size_t)larger(1, to->count + from->count), sizeof *all);
    for (int j = 0; j < to->count; j++)
        all[j] = to->shapes[j];
    for (int i = 0; i < from->count; i++)
        all[to->count++] = from->shapes[i];
    mem_free(to->shapes);
    to->shapes = all;
    from->count = 0;
    return true;
}
