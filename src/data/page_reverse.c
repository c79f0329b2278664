#include "data/page_reverse.h"

#include "core/integers.h"
#include "core/mem.h"

#include <math.h>

/* Whether a shape is a stroke that turns: thin, about twice as long as high, and far longer than its box from
 * corner to corner. A hole in a digit is thicker, or not as long. */
static bool is_stroke(const PageShape *shape) {
    const double width = page_stroke_width(shape->mask), length = shape->area / width,
                 height = shape->box.height;
    return width <= 0.2 * height && length >= 1.9 * height && length >= 1.5 * hypot(shape->box.width, height);
}

/* Whether ink surrounds a hole for a quarter of its height. */
static bool lies_on_patch(PIX *mask, const PageShape *shape) {
    const int reach = (int)larger(2, shape->box.height / 4), margin = reach + 2;
    l_int32 all = 0, on_ink = 0;
    PIX *inside = pixAddBorder(shape->mask, margin, 0), *edge = pixDilateBrick(NULL, inside, 3, 3),
        *ring = pixDilateBrick(NULL, inside, 2 * reach + 3, 2 * reach + 3);
    pixSubtract(ring, ring, edge);
    pixCountPixels(ring, &all, NULL);
    PIX *ground = pixCreateTemplate(ring);
    pixRasterop(ground, 0, 0, pixGetWidth(ground), pixGetHeight(ground), PIX_SRC, mask, shape->box.x - margin,
                shape->box.y - margin);
    pixAnd(ring, ring, ground);
    pixCountPixels(ring, &on_ink, NULL);
    pixDestroy(&inside);
    pixDestroy(&edge);
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

static bool contains(const PageRect *out, const PageRect *in) {
    return in->x >= out->x && in->y >= out->y && in->x + in->width <= out->x + out->width &&
           in->y + in->height <= out->y + out->height;
}

/* Holes in the ink that are at least as high as a digit is. */
static PageShapes holes_of(PIX *mask) {
    enum { LOWEST = 9 };
    PIXA *parts = NULL;
    PIX *holes = pixHolesByFilling(mask, 4);
    BOXA *boxes = pixConnComp(holes, &parts, 8);
    const int count = boxaGetCount(boxes);
    PageShapes shapes = {.shapes = mem_new((size_t)larger(count, 1), sizeof *shapes.shapes)};
    for (int i = 0; i < count; i++) {
        PageShape shape = {.reversed = true};
        l_int32 area;
        boxaGetBoxGeometry(boxes, i, &shape.box.x, &shape.box.y, &shape.box.width, &shape.box.height);
        if (shape.box.height < LOWEST) continue;
        shape.mask = pixaGetPix(parts, i, L_COPY);
        pixCountPixels(shape.mask, &area, NULL);
        shape.area = area;
        shapes.shapes[shapes.count++] = shape;
    }
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    pixDestroy(&holes);
    return shapes;
}

/* Digits are strokes that turn, and what stands beside one, as a 1 may. */
PageShapes page_find_reversed(PIX *mask) {
    PageShapes shapes = holes_of(mask);
    for (int i = shapes.count - 1; i >= 0; i--)
        if (!lies_on_patch(mask, &shapes.shapes[i])) page_shape_remove(&shapes, i);
    for (int i = shapes.count - 1; i >= 0; i--) {
        bool digit = is_stroke(&shapes.shapes[i]);
        for (int j = 0; j < shapes.count && !digit; j++)
            digit = j != i && is_stroke(&shapes.shapes[j]) &&
                    are_beside(&shapes.shapes[i].box, &shapes.shapes[j].box);
        if (!digit) page_shape_remove(&shapes, i);
    }
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
    return contains(&shape->box, &within->box) && 2 * shape->box.height > 5 * within->box.height;
}

/* Whether another one stands beside a digit, as in a number. */
static bool has_neighbour(const PageShapes *reversed, int i) {
    for (int j = 0; j < reversed->count; j++)
        if (j != i && are_beside(&reversed->shapes[i].box, &reversed->shapes[j].box)) return true;
    return false;
}

static bool is_hole(const PageShapes *shapes, const PageShapes *reversed, int i) {
    for (int j = 0; j < shapes->count; j++)
        if (is_far_larger(&shapes->shapes[j], &reversed->shapes[i])) return !has_neighbour(reversed, i);
    return false;
}

static void drop_holes(const PageShapes *shapes, PageShapes *reversed) {
    for (int i = reversed->count - 1; i >= 0; i--)
        if (is_hole(shapes, reversed, i)) page_shape_remove(reversed, i);
}

void page_add_reversed(PageShapes *shapes, PageShapes *reversed) {
    drop_holes(shapes, reversed);
    PageShape *all = mem_new((size_t)larger(shapes->count + reversed->count, 1), sizeof *all);
    int count = 0;
    for (int i = 0; i < shapes->count; i++) {
        bool patch = false; /* or ink within a digit, as in a 0 */
        for (int j = 0; j < reversed->count && !patch; j++)
            patch = contains(&shapes->shapes[i].box, &reversed->shapes[j].box) ||
                    contains(&reversed->shapes[j].box, &shapes->shapes[i].box);
        if (patch)
            pixDestroy(&shapes->shapes[i].mask);
        else
            all[count++] = shapes->shapes[i];
    }
    for (int j = 0; j < reversed->count; j++)
        all[count++] = reversed->shapes[j];
    mem_free(shapes->shapes);
    *shapes = (PageShapes){count, all};
    reversed->count = 0;
}
