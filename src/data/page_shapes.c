#include "data/page_shapes.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/found_digits.h"
#include "data/page_dashes.h"
#include "data/page_dots.h"
#include "data/page_drawn.h"
#include "data/page_strike.h"

#include <math.h>
#include <stdlib.h>

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
    if (!page_has_proportions(&shapes->shapes[i], box->height) || 2 * box->height >= height ||
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
        if (!page_is_of_strokes(&shapes->shapes[i], height))
            page_shape_remove(shapes, i);
        else if (!page_has_proportions(&shapes->shapes[i], height))
            move_shape(shapes, i, pieces);
        else
            shapes->shapes[i].struck = page_is_struck_out(shapes->shapes[i].mask);
}

PageShapes page_find_shapes(PIX *mask, PageShapes *pieces) {
    PageShapes shapes = connected_parts(mask);
    page_mark_dotted(&shapes);
    page_remove_drawings(&shapes);
    int height = typical_height(&shapes);
    page_remove_dashes(&shapes, height);
    for (int i = shapes.count - 1; i >= 0; i--)
        if (20 * larger(shapes.shapes[i].box.width, shapes.shapes[i].box.height) < height)
            page_shape_remove(&shapes, i);
    const bool crowded = shapes.count > FOUND_SHAPES_MOST;
    if (crowded) page_shapes_free(&shapes);
    page_remove_enclosures(&shapes);
    height = typical_height(&shapes);
    for (int i = shapes.count - 1; i >= 0; i--) /* several dots don't make a digit */
        if (!page_is_of_strokes(&shapes.shapes[i], height)) page_shape_remove(&shapes, i);
    *pieces = (PageShapes){.shapes = mem_new((size_t)larger(shapes.count, 1), sizeof *pieces->shapes)};
    PageShapes small = take_small(&shapes, typical_height(&shapes));
    make_shapes(&shapes, pieces);
    make_shapes(&small, pieces);
    while (small.count)
        move_shape(&small, 0, &shapes);
    page_shapes_free(&small);
    shapes.crowded = crowded;
    return shapes;
}
