#include "data/page_punched.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/page_mask.h"

#include <stdbool.h>
#include <stdlib.h>

enum { QUARTER = 1 /* of a turn clockwise */ };

static int middle_of(const PageRect *box) {
    return box->y + box->height / 2;
}

static int compare_middles(const void *a, const void *b) {
    return middle_of(a) - middle_of(b);
}

/* Whether a solid piece may be what is left of a hole near the left side. */
static bool may_be_hole(const PageRect *box, int width) {
    const int near = width / 8, most = width / 20;
    return box->x + box->width <= near && larger(box->width, box->height) <= most &&
           3 * smaller(box->width, box->height) >= 2 * larger(box->width, box->height);
}

/* The solid pieces near the left side, from above: those too thick for strokes. [*count] */
static PageRect *find_solid(PIX *mask, int brick, int *count) {
    const int width = pixGetWidth(mask);
    PIX *solid = pixOpenBrick(NULL, mask, brick, brick);
    BOXA *boxes = pixConnCompBB(solid, 8);
    PageRect *found = mem_new((size_t)boxaGetCount(boxes) + 1, sizeof *found);
    *count = 0;
    for (int i = 0; i < boxaGetCount(boxes); i++) {
        PageRect box;
        boxaGetBoxGeometry(boxes, i, &box.x, &box.y, &box.width, &box.height);
        if (may_be_hole(&box, width)) found[(*count)++] = box;
    }
    qsort(found, (size_t)*count, sizeof *found, compare_middles);
    boxaDestroy(&boxes);
    pixDestroy(&solid);
    return found;
}

/* Whether one hole may come after another at about a distance; 0: at any. */
static bool may_follow(const PageRect *hole, const PageRect *next, int distance) {
    const int size = (int)larger(hole->width, hole->height), other = (int)larger(next->width, next->height),
              away = middle_of(next) - middle_of(hole);
    return 4 * abs(other - size) <= larger(size, other) + 4 && 2 * abs(next->x - hole->x) <= size &&
           away >= size && (!distance || 8 * abs(away - distance) <= distance);
}

/* How many holes are in a row from hole `first` on. */
static int holes_from(const PageRect *holes, int count, int first) {
    int end = first + 1, distance = 0;
    while (end < count && may_follow(&holes[end - 1], &holes[end], distance)) {
        distance = middle_of(&holes[end]) - middle_of(&holes[end - 1]);
        end++;
    }
    return end - first;
}

/* Sets a mask from the left side to beyond the holes, and up to the next hole above and below. */
static void set_side(PIX *side, const PageRect *holes, int count) {
    const int distance = middle_of(&holes[1]) - middle_of(&holes[0]), top = middle_of(&holes[0]) - distance,
              bottom = middle_of(&holes[count - 1]) + distance;
    int right = 0;
    for (int i = 0; i < count; i++)
        right = (int)larger(right, holes[i].x + 3 * holes[i].width / 2);
    pixRasterop(side, 0, top, right, bottom - top, PIX_SET, NULL, 0, 0);
}

/* Adds the left side of a page to `side` where it is punched. */
static void add_left(PIX *mask, PIX *side) {
    const int several = 6, brick = (int)larger(5, pixGetWidth(mask) / 80);
    int count;
    PageRect *holes = find_solid(mask, brick, &count);
    for (int first = 0, row; first < count; first += row) {
        row = holes_from(holes, count, first);
        if (row >= several) set_side(side, holes + first, row);
    }
    mem_free(holes);
}

static void turn(PIX **mask) {
    PIX *turned = pixRotateOrth(*mask, QUARTER);
    pixDestroy(mask);
    *mask = turned;
}

PIX *page_punched_side(PIX *mask) {
    l_int32 none = 1;
    PIX *turned = pixCopy(NULL, mask), *side = pixCreateTemplate(mask);
    for (int i = 0; i < 4; i++) {
        add_left(turned, side);
        turn(&turned);
        turn(&side);
    }
    pixZero(side, &none);
    if (none) pixDestroy(&side);
    pixDestroy(&turned);
    return side;
}
