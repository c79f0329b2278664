#include "data/page_edge.h"

#include "core/integers.h"
#include "core/status.h"

#include <math.h>

/* A part of the page, and where in it a shape lies and the ring around it. */
typedef struct {
    PageRect box;
    PIX *inside, *ring;
} Surroundings;

static Surroundings surroundings_of(PIX *page, const PageShape *shape) {
    const int reach = (int)larger(4, lround(page_stroke_width(shape->mask))), margin = reach + 1;
    PIX *inside = pixAddBorder(shape->mask, margin, 0), *near = pixDilateBrick(NULL, inside, 3, 3);
    PIX *ring = pixDilateBrick(NULL, inside, 2 * reach + 1, 2 * reach + 1);
    BOX *whole =
        boxCreate(shape->box.x - margin, shape->box.y - margin, pixGetWidth(inside), pixGetHeight(inside));
    BOX *box = boxClipToRectangle(whole, pixGetWidth(page), pixGetHeight(page));
    Surroundings around = {0};
    if (!near || !ring || !box) fatal("out of memory for the shapes in a picture; read smaller pictures");
    pixSubtract(ring, ring, near);
    boxGetGeometry(box, &around.box.x, &around.box.y, &around.box.width, &around.box.height);
    BOX *within = boxCreate(around.box.x - (shape->box.x - margin), around.box.y - (shape->box.y - margin),
                            around.box.width, around.box.height);
    around.inside = pixClipRectangle(inside, within, NULL);
    around.ring = pixClipRectangle(ring, within, NULL);
    boxDestroy(&whole);
    boxDestroy(&box);
    boxDestroy(&within);
    pixDestroy(&inside);
    pixDestroy(&near);
    pixDestroy(&ring);
    return around;
}

/* By how much the shape is darker (or lighter) than the ring, in the same unit as ink. */
static double contrast_of(PIX *page, const Surroundings *around, bool dark) {
    BOX *box = boxCreate(around->box.x, around->box.y, around->box.width, around->box.height);
    PIX *part = pixClipRectangle(page, box, NULL);
    const double in = page_mean_where(part, around->inside, 0, 0),
                 out = page_mean_where(part, around->ring, 0, 0);
    pixDestroy(&part);
    boxDestroy(&box);
    return dark ? (out - in) * 255 / fmax(out, 32) : in - out;
}

static bool has_edge(PIX *page, PIX *ink, bool dark, const PageShape *shape) {
    const double least = 0.4; /* of the ink; a blurred stroke has half */
    const double strength = page_mean_where(ink, shape->mask, shape->box.x, shape->box.y);
    l_int32 none = 1;
    Surroundings around = surroundings_of(page, shape);
    pixZero(around.ring, &none); /* the shape fills the page */
    const bool found = none || contrast_of(page, &around, dark) >= least * strength;
    pixDestroy(&around.inside);
    pixDestroy(&around.ring);
    return found;
}

void page_drop_without_edge(PIX *page, PIX *ink, bool dark, PageShapes *shapes) {
    for (int i = shapes->count - 1; i >= 0; i--)
        if (!has_edge(page, ink, dark, &shapes->shapes[i])) page_shape_remove(shapes, i);
}
