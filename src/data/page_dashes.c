#include "data/page_dashes.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/found_digits.h"

#include <stdbool.h>
#include <stdlib.h>

/* A dash along x or, where it is upright, along y. */
typedef struct {
    int part; /* its place among all */
    bool upright;
    int begin, end;        /* along */
    int middle, thickness; /* across */
    int line;              /* the place of the first dash of its line; its own until it has another */
} Dash;

/* Whether a part is a stroke along x or y, far shorter than digits are high. */
static bool is_dash(const PageRect *box, int height) {
    const int length = (int)larger(box->width, box->height),
              thickness = (int)smaller(box->width, box->height);
    return 2 * length <= height && length >= 2 * thickness;
}

static Dash dash_of(const PageShapes *parts, int i) {
    const PageRect *box = &parts->shapes[i].box;
    if (box->height > box->width)
        return (Dash){i, true, box->y, page_bottom_of(box), box->x + box->width / 2, box->width, 0};
    return (Dash){i, false, box->x, page_right_of(box), box->y + box->height / 2, box->height, 0};
}

/* Whether dash b goes on with the line of a, at most two dashes further. */
static bool goes_on(const Dash *a, const Dash *b) {
    const int length = a->end - a->begin, other = b->end - b->begin, gap = b->begin - a->end;
    return a->upright == b->upright && gap > 0 && 2 * gap <= 7 * length && 2 * other <= 3 * length &&
           2 * length <= 3 * other &&
           larger(a->thickness, b->thickness) <= 2 * smaller(a->thickness, b->thickness) &&
           abs(a->middle - b->middle) <= 1 + a->thickness / 2 + gap / 8;
}

static int compare_beginnings(const void *a, const void *b) {
    return ((const Dash *)a)->begin - ((const Dash *)b)->begin;
}

/* Dashes in the order of their beginnings. [*count] */
static Dash *find_dashes(const PageShapes *parts, int height, int *count) {
    Dash *dashes = mem_new((size_t)parts->count + 1, sizeof *dashes);
    *count = 0;
    for (int i = 0; i < parts->count; i++)
        if (is_dash(&parts->shapes[i].box, height)) dashes[(*count)++] = dash_of(parts, i);
    qsort(dashes, (size_t)*count, sizeof *dashes, compare_beginnings);
    return dashes;
}

/* Gives each dash its line, that of the nearest dash before. */
static void join_lines(Dash *dashes, int count) {
    for (int b = 0; b < count; b++) {
        dashes[b].line = b;
        for (int a = b - 1; a >= 0; a--)
            if (goes_on(&dashes[a], &dashes[b])) {
                dashes[b].line = dashes[a].line;
                break;
            }
    }
}

/* Whether two dashes have about the same length and thickness. */
static bool are_alike(const Dash *a, const Dash *b) {
    return 4 * abs(a->end - a->begin - b->end + b->begin) <= a->end - a->begin &&
           2 * abs(a->thickness - b->thickness) <= a->thickness;
}

/* Marks the dashes of long level lines, and those like them in other lines, as of a frame's other sides.
 * Upright strokes alone, one below the other, may be the 1s of a column of small numbers. [count] */
static bool *mark_lines(const Dash *dashes, int count) {
    const int many = 5, few = 2;
    int *dashes_of = mem_new((size_t)count + 1, sizeof *dashes_of);
    bool *is_long = mem_new((size_t)count + 1, sizeof *is_long),
         *marked = mem_new((size_t)count + 1, sizeof *marked);
    for (int d = 0; d < count; d++)
        dashes_of[dashes[d].line]++;
    for (int d = 0; d < count; d++)
        marked[d] = is_long[d] = !dashes[d].upright && dashes_of[dashes[d].line] >= many;
    for (int d = 0; d < count; d++)
        for (int other = 0; other < count && dashes_of[dashes[d].line] >= few && !marked[d]; other++)
            marked[d] = is_long[other] && are_alike(&dashes[other], &dashes[d]);
    mem_free(dashes_of);
    mem_free(is_long);
    return marked;
}

static int descending(const void *a, const void *b) {
    return *(const int *)b - *(const int *)a;
}

static void remove_marked(PageShapes *parts, const Dash *dashes, const bool *marked, int count) {
    int *removed = mem_new((size_t)count + 1, sizeof *removed), removals = 0;
    for (int d = 0; d < count; d++)
        if (marked[d]) removed[removals++] = dashes[d].part;
    qsort(removed, (size_t)removals, sizeof *removed, descending); /* a removal moves the last part */
    for (int r = 0; r < removals; r++)
        page_shape_remove(parts, removed[r]);
    mem_free(removed);
}

void page_remove_dashes(PageShapes *parts, int height) {
    int count;
    if (parts->count > FOUND_SHAPES_MOST) return;
    Dash *dashes = find_dashes(parts, height, &count);
    join_lines(dashes, count);
    bool *marked = mark_lines(dashes, count);
    remove_marked(parts, dashes, marked, count);
    mem_free(marked);
    mem_free(dashes);
}
