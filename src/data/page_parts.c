#include "data/page_parts.h"

#include "core/integers.h"
#include "core/mem.h"

#include <math.h>

static int gap(int begin, int end, int other_begin, int other_end) {
    return (int)(larger(begin, other_begin) - smaller(end, other_end));
}

int page_gap_x(const PageRect *a, const PageRect *b) {
    return gap(a->x, page_right_of(a), b->x, page_right_of(b));
}

int page_gap_y(const PageRect *a, const PageRect *b) {
    return gap(a->y, page_bottom_of(a), b->y, page_bottom_of(b));
}

PageRect page_rect_united(const PageRect *a, const PageRect *b) {
    PageRect both = {(int)smaller(a->x, b->x), (int)smaller(a->y, b->y), 0, 0};
    both.width = (int)larger(page_right_of(a), page_right_of(b)) - both.x;
    both.height = (int)larger(page_bottom_of(a), page_bottom_of(b)) - both.y;
    return both;
}

void page_shapes_free(PageShapes *shapes) {
    for (int i = 0; i < shapes->count; i++)
        pixDestroy(&shapes->shapes[i].mask);
    mem_free(shapes->shapes);
    *shapes = (PageShapes){0};
}

bool page_is_underline(const PageShape *a, const PageShape *b) {
    return a->box.width >= 3 * a->box.height && 10 * a->box.width > 13 * b->box.width &&
           a->box.y >= page_bottom_of(&b->box);
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
    a->dotted = a->dotted || b->dotted;
}

void page_shape_remove(PageShapes *shapes, int i) {
    pixDestroy(&shapes->shapes[i].mask);
    shapes->shapes[i] = shapes->shapes[--shapes->count];
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

/* A shape is low against the page's digits or, where these are low too and pixels tell less, for a digit. */
bool page_is_of_strokes(const PageShape *shape, int height) {
    const int whole = 2 * PAGE_MIN_HEIGHT;
    const double long_side = (double)larger(shape->box.width, shape->box.height);
    const double filled = (double)shape->area / ((double)shape->box.width * shape->box.height);
    const bool slim = 5 * smaller(shape->box.width, shape->box.height) < 2 * long_side,
               low = shape->box.height < larger(height / 2, slim ? whole : smaller(height, whole) * 3 / 4);
    return thickest(shape->mask) / sqrt(shape->area) < (low ? 0.34 : 0.4) &&
           (slim || filled < (low ? 0.75 : 0.85));
}

bool page_has_proportions(const PageShape *shape, int height) {
    const PageRect *box = &shape->box;
    return box->height >= PAGE_MIN_HEIGHT && 10 * box->height >= 4 * height &&
           box->width <= 4 * box->height && box->height <= 16 * box->width + 12;
}
