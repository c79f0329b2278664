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

static void surroundings_free(Surroundings *around) {
    pixDestroy(&around->inside);
    pixDestroy(&around->ring);
}

/* By how much a part of the surroundings' box is darker (or lighter) than the ring, in the same unit as ink.
 */
static double contrast_of(PIX *page, const Surroundings *around, PIX *mask, bool dark) {
    BOX *box = boxCreate(around->box.x, around->box.y, around->box.width, around->box.height);
    PIX *part = pixClipRectangle(page, box, NULL);
    const double in = page_mean_where(part, mask, 0, 0), out = page_mean_where(part, around->ring, 0, 0);
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
    const bool found = none || contrast_of(page, &around, around.inside, dark) >= least * strength;
    surroundings_free(&around);
    return found;
}

void page_drop_without_edge(PIX *page, PIX *ink, bool dark, PageShapes *shapes) {
    for (int i = shapes->count - 1; i >= 0; i--)
        if (!has_edge(page, ink, dark, &shapes->shapes[i])) page_shape_remove(shapes, i);
}

/* What lies within a shape or its gaps, away from its strokes. NULL: it is no larger than the strokes. */
static PIX *paper_within(PIX *shape) {
    const int away = 2 * (int)larger(2, lround(page_stroke_width(shape) / 2)) + 1;
    l_int32 area = 0, paper = 0;
    PIX *within = pixCloseSafeCompBrick(NULL, shape, pixGetWidth(shape) / 2, pixGetHeight(shape) / 2);
    PIX *holes = pixHolesByFilling(within, 4), *near = pixDilateBrick(NULL, shape, away, away);
    pixOr(within, within, holes);
    pixSubtract(within, within, near);
    pixCountPixels(shape, &area, NULL);
    pixCountPixels(within, &paper, NULL);
    pixDestroy(&holes);
    pixDestroy(&near);
    if (paper < area) pixDestroy(&within);
    return within;
}

/* A stain is darker within its outline than the paper is around it. */
static bool is_outline_of_stain(PIX *page, bool dark, const PageShape *shape) {
    const double least = 0.3; /* of the outline's own contrast */
    if ((int64_t)shape->box.width * shape->box.height < 3 * (int64_t)shape->area) return false;
    Surroundings around = surroundings_of(page, shape);
    PIX *inside = paper_within(around.inside);
    const bool found = inside && contrast_of(page, &around, inside, dark) >=
                                     least * contrast_of(page, &around, around.inside, dark);
    pixDestroy(&inside);
    surroundings_free(&around);
    return found;
}

void page_mark_stains(PIX *page, bool dark, PageShapes *shapes) {
    for (int i = 0; i < shapes->count; i++)
        shapes->shapes[i].stain = is_outline_of_stain(page, dark, &shapes->shapes[i]);
}
