#include "data/page_sight.h"

#include "core/integers.h"
#include "data/page_course.h"
#include "data/page_edge.h"
#include "data/page_faint.h"
#include "data/page_mask.h"
#include "data/page_punched.h"
#include "data/page_reverse.h"
#include "data/page_shapes.h"

#include <math.h>
#include <stdlib.h>

void page_sight_free(PageSight *sight) {
    pixDestroy(&sight->ink);
    page_cells_free(&sight->cells);
    pixDestroy(&sight->rules);
    pixDestroy(&sight->around);
    page_shapes_free(&sight->shapes);
    page_shapes_free(&sight->pieces);
    page_shapes_free(&sight->faint);
    page_shapes_free(&sight->reversed);
    pixDestroy(&sight->reversed_mask);
    pixDestroy(&sight->reversed_ink);
}

/* Whether neighbours differ by more than a few levels over most of a page. */
static bool is_noisy(PIX *grey) {
    enum { FEW = 4 };
    int64_t noisy = 0, all = 0;
    for (int y = 0; y < pixGetHeight(grey); y++) {
        const l_uint32 *line = pixGetData(grey) + (int64_t)y * pixGetWpl(grey);
        for (int x = 1; x < pixGetWidth(grey); x++, all++)
            noisy += abs((int)GET_DATA_BYTE(line, x) - (int)GET_DATA_BYTE(line, x - 1)) >= FEW;
    }
    return 2 * noisy > all;
}

/* Replaces noise by its mean over 3x3 pixels; strokes are wider than that. */
static void calm(PIX **grey) {
    const int least = 100;
    if (smaller(pixGetWidth(*grey), pixGetHeight(*grey)) < least || !is_noisy(*grey)) return;
    PIX *calmed = pixBlockconvGray(*grey, NULL, 1, 1);
    pixDestroy(grey);
    *grey = calmed;
}

static PIX *ink_of(PIX *page, int window, bool dark) {
    PIX *grey = pixCopy(NULL, page);
    calm(&grey);
    if (!dark) pixInvert(grey, grey);
    PIX *ink = page_ink(grey, window, dark);
    pixDestroy(&grey);
    return ink;
}

static int paper_level(PIX *ink) {
    l_uint32 level = 0;
    pixGetRankValue(ink, 1, 0.5f, &level);
    return (int)level;
}

/* How much a shape looks like writing: how many times longer its strokes are than wide, times their ink. The
 * gaps between strokes, which are seen when paper and ink are taken for each other, are wide. */
static double writing_in(PIX *ink, const PageShape *shape) {
    const double most = 20, width = page_stroke_width(shape->mask);
    const double mean = page_mean_where(ink, shape->mask, shape->box.x, shape->box.y);
    return width > 0 ? mean * fmin(most, shape->area / (width * width)) : 0;
}

/* The widest strokes of the shapes that are narrower than `most`. */
static double stroke_width(const PageShapes *shapes, double most) {
    double widest = 0;
    for (int i = 0; i < shapes->count; i++) {
        const double width = page_stroke_width(shapes->shapes[i].mask);
        if (width < most) widest = fmax(widest, width);
    }
    return widest;
}

/* Adds to what isn't paper to write on a side that is punched. outside: what isn't the page; may be NULL. */
static void add_punched_side(PIX *mask, PIX *outside, PIX **around) {
    PIX *side = page_punched_side(mask), *others = *around ? *around : outside;
    if (!side) return;
    if (others) pixOr(side, side, others);
    pixDestroy(around);
    *around = side;
}

static PageSight see(const PageWork *work, int reach, bool dark) {
    PageSight sight = {.ink = ink_of(work->page, work->window, dark)};
    if (work->outside) pixSetMasked(sight.ink, work->outside, 0);
    sight.level = paper_level(sight.ink);
    PIX *mask = page_threshold(sight.ink, reach);
    sight.reversed = page_find_reversed(mask);
    if (sight.reversed.count) {
        sight.reversed_mask = pixCopy(NULL, mask);
        sight.reversed_ink = pixInvert(NULL, sight.ink);
    }
    sight.cells = page_remove_lines(&mask, sight.ink, &sight.rules);
    sight.around = work->outside ? NULL : page_surroundings(mask); /* rules would join digits to it */
    add_punched_side(mask, work->outside, &sight.around);
    if (sight.around) pixSubtract(mask, mask, sight.around);
    sight.light = page_remove_light(sight.ink, mask);
    PIX *faint = page_take_faint(sight.ink, sight.level, mask);
    sight.faint = page_find_faint(work->page, sight.ink, dark, faint);
    pixDestroy(&faint);
    sight.shapes = page_find_shapes(mask, &sight.pieces);
    page_drop_without_edge(work->page, sight.ink, dark, &sight.shapes);
    page_mark_stains(work->page, dark, &sight.shapes);
    page_drop_pieces_of_rules(sight.ink, work->outside, &sight.shapes);
    for (int i = 0; i < sight.shapes.count; i++)
        sight.score += writing_in(sight.ink, &sight.shapes.shapes[i]);
    pixDestroy(&mask);
    return sight;
}

/* Removes shapes that are far fainter than a shadow: rules on the paper, which show where it is taken away.
 */
static void drop_fainter(PageSight *sight, double shadow) {
    const double least = 0.4 * shadow;
    for (int i = sight->shapes.count - 1; i >= 0; i--) {
        const PageShape *shape = &sight->shapes.shapes[i];
        if (page_mean_where(sight->ink, shape->mask, shape->box.x, shape->box.y) < least)
            page_shape_remove(&sight->shapes, i);
    }
}

/* The share of a shape that lies on a mask of the page. */
static double share_on(PIX *mask, const PageShape *shape) {
    l_int32 on = 0;
    PIX *both = pixCopy(NULL, shape->mask);
    pixRasterop(both, 0, 0, shape->box.width, shape->box.height, PIX_SRC & PIX_DST, mask, shape->box.x,
                shape->box.y);
    pixCountPixels(both, &on, NULL);
    pixDestroy(&both);
    return (double)on / shape->area;
}

/* Removes what lies on the rules that a closer look has found. */
static void drop_on_rules(PIX *rules, PageShapes *shapes) {
    const double most = 0.7;
    for (int i = shapes->count - 1; i >= 0 && rules; i--)
        if (share_on(rules, &shapes->shapes[i]) >= most) page_shape_remove(shapes, i);
}

/* A patch of ink that is wider than a closer look's window is paper there: what is on it is known from the
 * look before. All digits on patches are then read from the ink of that look. */
static void keep_reversed(PageSight *before, PageSight *near) {
    if (!page_keep_reversed(before->reversed_mask, before->ink, &before->shapes, &before->reversed,
                            &near->shapes, &near->reversed))
        return;
    pixDestroy(&near->reversed_ink);
    near->reversed_ink = pixClone(before->reversed_ink);
}

/* The window of the first closer look. */
static int closer_window(const PageSight *sight, int window) {
    const double strokes = stroke_width(&sight->shapes, INFINITY);
    if (sight->light.width) return (int)larger(15, lround(fmax(2 * sight->light.width / 3.0, 2 * strokes)));
    return (int)larger(15, sight->shapes.count ? lround(4 * strokes) : window / 3);
}

/* The window of another one. Shapes that are about as wide as a shadow are rather parts of it. */
static int window_within_shadow(const PageSight *sight) {
    const double shadow = 2 * sight->light.width / 3.0;
    return (int)larger(15, lround(fmax(shadow, 2 * stroke_width(&sight->shapes, shadow))));
}

/* Replaces a look by one with this window, unless nothing is found in it. Returns whether it did. */
static bool look_closer(const PageWork *work, int closer, bool dark, PageSight *sight) {
    const PageWork within = {work->page, sight->around ? sight->around : work->outside, closer};
    PageSight near = see(&within, closer / 2, dark);
    drop_fainter(&near, sight->light.ink);
    if (!near.shapes.count && sight->shapes.count) {
        drop_on_rules(near.rules, &sight->shapes);
        page_sight_free(&near);
        return false;
    }
    keep_reversed(sight, &near);
    page_sight_free(sight);
    *sight = near;
    return true;
}

/* A closer look may still find a shadow, narrower than what the look before has seen, such as of fingers
 * beside that of a hand: then what is in it and across its edge is seen by another one. */
PageSight page_look(const PageWork *work, bool dark) {
    const int most_closer = 2;
    int window = work->window;
    PageSight sight = see(work, window / 4, dark);
    for (int i = 0; i < most_closer && (i == 0 || sight.light.width); i++) {
        const int closer = i ? window_within_shadow(&sight) : closer_window(&sight, window);
        if (closer >= window || (!sight.shapes.count && !dark)) break;
        if (!look_closer(work, closer, dark, &sight)) break;
        window = closer;
    }
    return sight;
}

double page_sight_add_reversed(PageSight *sight) {
    double score = 0;
    page_add_reversed(&sight->shapes, &sight->reversed);
    for (int i = 0; i < sight->shapes.count; i++)
        if (sight->shapes.shapes[i].reversed)
            score += writing_in(sight->reversed_ink, &sight->shapes.shapes[i]);
    return score;
}
