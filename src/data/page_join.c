#include "data/page_join.h"

#include "core/integers.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

enum {
    MOST_PARTS = 200, /* shapes and pieces of a page; more are print, not a torn digit */
    MOST_GROUPED = 4, /* parts of one digit */
    MOST_JOINS = 40
};

/* A page's shapes, then its pieces. */
typedef struct {
    const PageShapes *shapes, *pieces;
    int count, height; /* the shapes' median; 0: too few to tell */
} Parts;

static const PageShape *part_at(const Parts *parts, int i) {
    return i < parts->shapes->count ? &parts->shapes->shapes[i]
                                    : &parts->pieces->shapes[i - parts->shapes->count];
}

/* Digits that stand side by side are about as high as both together. */
static bool are_side_by_side(const PageRect *a, const PageRect *b, const PageRect *both) {
    return 10 * a->height >= 8 * both->height && 10 * b->height >= 8 * both->height;
}

/* Whether two parts, one above the other, are about as high as the page's digits: height, unless that is 0.
 */
static bool are_of_two_lines(const PageShape *a, const PageShape *b, int height) {
    const PageRect both = page_rect_united(&a->box, &b->box);
    return height && 10 * smaller(a->box.height, b->box.height) >= 7 * height &&
           10 * both.height > 16 * height &&
           page_gap_y(&a->box, &b->box) > fmax(page_stroke_width(a->mask), page_stroke_width(b->mask));
}

/* Whether two parts may be pieces of one digit: one pen's strokes, and between them a gap that is small
 * against what they make up; where one is above the other it may be wider. */
static bool are_near(const PageShape *a, const PageShape *b, int height) {
    const PageRect both = page_rect_united(&a->box, &b->box);
    const int64_t size = larger(both.width, both.height), narrow = smaller(a->box.width, b->box.width);
    const bool stacked = 2 * -page_gap_x(&a->box, &b->box) >= narrow;
    const double one = page_stroke_width(a->mask), other = page_stroke_width(b->mask);
    return !a->reversed && !b->reversed && 8 * page_gap_x(&a->box, &b->box) <= size &&
           (stacked ? 4 : 8) * page_gap_y(&a->box, &b->box) <= size &&
           fmax(one, other) <= 3 * fmin(one, other) && !page_is_underline(a, b) && !page_is_underline(b, a) &&
           !are_side_by_side(&a->box, &b->box, &both) && !are_of_two_lines(a, b, height);
}

static int median_height(const PageShapes *shapes) {
    enum { LEAST = 4 };
    if (shapes->count < LEAST) return 0;
    int *heights = mem_new((size_t)shapes->count, sizeof *heights);
    for (int i = 0; i < shapes->count; i++)
        heights[i] = shapes->shapes[i].box.height;
    sort_ints(heights, (size_t)shapes->count);
    const int median = heights[shapes->count / 2];
    mem_free(heights);
    return median;
}

/* Adds the join of some parts unless none of them is a shape. */
static void add_join(const Parts *parts, const int *members, int count, PageJoins *joins) {
    PageJoin join = {0};
    for (int m = 0; m < count; m++)
        if (members[m] < parts->shapes->count) join.shapes[join.count++] = members[m];
    if (!join.count || joins->count == MOST_JOINS) return;
    for (int m = 0; m < count; m++) {
        PageShape part = *part_at(parts, members[m]);
        part.mask = pixClone(part.mask);
        if (m == 0)
            join.whole = part;
        else
            page_shape_unite(&join.whole, &part);
    }
    const PageRect *box = &join.whole.box;
    if (10 * box->width <= 15 * box->height && box->height <= 6 * box->width)
        joins->joins[joins->count++] = join;
    else
        pixDestroy(&join.whole.mask);
}

/* The parts that are connected with part i by nearness, in order; their number, at most MOST_GROUPED + 1. */
static int group_of(const Parts *parts, const bool *near, int i, int *members) {
    int count = 1;
    members[0] = i;
    for (int m = 0; m < count; m++)
        for (int j = 0; j < parts->count && count <= MOST_GROUPED; j++) {
            bool known = false;
            for (int k = 0; k < count; k++)
                known |= members[k] == j;
            if (!known && near[members[m] * parts->count + j]) members[count++] = j;
        }
    sort_ints(members, (size_t)count); /* a group is added once, by its first part */
    return count;
}

PageJoins page_find_joins(const PageShapes *shapes, const PageShapes *pieces) {
    const Parts parts = {shapes, pieces, shapes->count + pieces->count, median_height(shapes)};
    const int n = parts.count;
    PageJoins joins = {0};
    if (n < 2 || n > MOST_PARTS) return joins;
    joins.joins = mem_new(MOST_JOINS, sizeof *joins.joins);
    bool *near = mem_new((size_t)(n * n), sizeof *near);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            near[i * n + j] = near[j * n + i] =
                are_near(part_at(&parts, i), part_at(&parts, j), parts.height);
            if (near[i * n + j]) add_join(&parts, (const int[]){i, j}, 2, &joins);
        }
    for (int i = 0; i < n; i++) {
        int members[MOST_GROUPED + 1];
        const int count = group_of(&parts, near, i, members);
        if (count > 2 && count <= MOST_GROUPED && members[0] == i) add_join(&parts, members, count, &joins);
    }
    mem_free(near);
    return joins;
}

void page_joins_free(PageJoins *joins) {
    for (int i = 0; i < joins->count; i++)
        pixDestroy(&joins->joins[i].whole.mask);
    mem_free(joins->joins);
    *joins = (PageJoins){0};
}
