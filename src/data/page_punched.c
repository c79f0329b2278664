#include "data/page_punched.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/page_mask.h"

#include <stdbool.h>
#include <stdlib.h>

enum { QUARTER = 1 /* of a turn clockwise */ };

/* What a hole looks like. */
typedef struct {
    double near, most; /* how far it reaches from the side, and its size; of the page's width */
    int least;         /* its size in pixels */
    double square;     /* its shorter side by its longer one */
    double filled_least, filled_most; /* its share of its box */
} HoleShape;

/* What is left of a hole for a wire, and a hole for a file: a disc, as no writing is. */
static const HoleShape wire_hole = {1 / 8.0, 1 / 20.0, 1, 2 / 3.0, 0, 1},
                       file_hole = {1 / 6.0, 1 / 15.0, 12, 0.9, 0.74, 0.83};

static int middle_of(const PageRect *box) {
    return box->y + box->height / 2;
}

static int compare_middles(const void *a, const void *b) {
    return middle_of(a) - middle_of(b);
}

/* Whether a piece near the left side may be a hole. */
static bool may_be_hole(PIX *piece, const PageRect *box, int width, const HoleShape *shape) {
    const double longer = (double)larger(box->width, box->height),
                 shorter = (double)smaller(box->width, box->height);
    l_int32 area = 0;
    pixCountPixels(piece, &area, NULL);
    const double filled = area / (longer * shorter);
    return box->x + box->width <= shape->near * width && longer >= shape->least &&
           longer <= shape->most * width && shorter >= shape->square * longer &&
           filled >= shape->filled_least && filled <= shape->filled_most;
}

/* The pieces of a mask that may be holes, from above. [*count] */
static PageRect *find_holes(PIX *mask, const HoleShape *shape, int *count) {
    PIXA *pieces = NULL;
    BOXA *boxes = pixConnComp(mask, &pieces, 8);
    PageRect *found = mem_new((size_t)boxaGetCount(boxes) + 1, sizeof *found);
    *count = 0;
    for (int i = 0; i < boxaGetCount(boxes); i++) {
        PIX *piece = pixaGetPix(pieces, i, L_CLONE);
        PageRect box;
        boxaGetBoxGeometry(boxes, i, &box.x, &box.y, &box.width, &box.height);
        if (may_be_hole(piece, &box, pixGetWidth(mask), shape)) found[(*count)++] = box;
        pixDestroy(&piece);
    }
    qsort(found, (size_t)*count, sizeof *found, compare_middles);
    pixaDestroy(&pieces);
    boxaDestroy(&boxes);
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

/* Sets a mask where holes and their edges are. */
static void set_holes(PIX *side, const PageRect *holes, int count) {
    for (int i = 0; i < count; i++) {
        const PageRect *hole = &holes[i];
        const int edge = hole->width / 8 + 2;
        pixRasterop(side, hole->x - edge, hole->y - edge, hole->width + 2 * edge, hole->height + 2 * edge,
                    PIX_SET, NULL, 0, 0);
    }
}

typedef void SetHoles(PIX *side, const PageRect *holes, int count);

/* Calls `set` for each row of at least `least` holes. */
static void set_rows(PIX *mask, const HoleShape *shape, int least, SetHoles *set, PIX *side) {
    int count;
    PageRect *holes = find_holes(mask, shape, &count);
    for (int first = 0, row; first < count; first += row) {
        row = holes_from(holes, count, first);
        if (row >= least) set(side, holes + first, row);
    }
    mem_free(holes);
}

/* Adds to `side` the left side of a page that is bound with a wire, and the holes of a sheet for a file. */
static void add_left(PIX *mask, PIX *side) {
    const int brick = (int)larger(5, pixGetWidth(mask) / 80);
    PIX *solid = pixOpenBrick(NULL, mask, brick, brick); /* without the wire */
    set_rows(solid, &wire_hole, 6, set_side, side);
    set_rows(mask, &file_hole, 2, set_holes, side);
    pixDestroy(&solid);
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
