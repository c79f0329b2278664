#include "data/page_light.h"

#include "core/integers.h"
#include "core/status.h"
#include "data/page_mask.h"

#include <math.h>
#include <stdbool.h>

enum {
    MIN_REACH = 4,  /* pixels; outlines of ink are steep within as many */
    MIN_WIDTH = 24, /* of a shadow */
    MIN_PAGE = 320  /* of the longer side; smaller pictures were scaled up, and all in them is soft */
};

/* Of the ink within an outline, how much of it is lost across the outline; a blurred stroke loses half. */
static const double STEEP = 0.4;

/* The share of the ink in `region`, which lies in `part` of the mask, that is lost within `reach` pixels of
 * its outline, from inside to outside of the part. */
static double steepness(PIX *ink, PIX *region, PIX *part, int x, int y, int reach) {
    const int margin = reach + 1, size = 2 * reach + 1;
    PIX *inside = pixAddBorder(region, margin, 0), *wider = pixDilateBrick(NULL, inside, size, size),
        *narrower = pixErodeBrick(NULL, inside, size, size), *rest = pixAddBorder(part, margin, 0);
    if (!inside || !wider || !narrower || !rest)
        fatal("out of memory for the shadows in a picture; read smaller pictures");
    pixSubtract(wider, wider, rest);
    pixSubtract(inside, inside, narrower);
    const double all = page_mean_where(ink, region, x, y),
                 step = page_mean_where(ink, inside, x - margin, y - margin) -
                        page_mean_where(ink, wider, x - margin, y - margin);
    pixDestroy(&inside);
    pixDestroy(&wider);
    pixDestroy(&narrower);
    pixDestroy(&rest);
    return all > 0 ? step / all : 0;
}

/* The regions of a part, its strokes aside, that are `width` wide. */
static PIX *wide_regions(PIX *part, int width) {
    PIX *wide = pixOpenBrick(NULL, part, width, width);
    if (!wide) fatal("out of memory for the shadows in a picture; read smaller pictures");
    return wide;
}

/* Whether a part is large and has regions wide enough for a shadow. */
static bool may_be_light(PIX *mask, PIX *part) {
    const int side = (int)larger(pixGetWidth(part), pixGetHeight(part));
    const int page = (int)larger(pixGetWidth(mask), pixGetHeight(mask));
    if (page <= MIN_PAGE || 8 * side < page) return false;
    l_int32 none = 1;
    PIX *wide = wide_regions(part, MIN_WIDTH);
    pixZero(wide, &none);
    pixDestroy(&wide);
    return !none;
}

/* Parts of a mask, and which of them may be light. */
typedef struct {
    BOXA *boxes;
    PIXA *parts;
    NUMA *wide; /* 1: may be light */
    int count, wide_count;
} Parts;

static Parts parts_of(PIX *mask) {
    Parts all = {.wide = numaCreate(0)};
    all.boxes = pixConnComp(mask, &all.parts, 8);
    all.count = boxaGetCount(all.boxes);
    for (int i = 0; i < all.count; i++) {
        PIX *part = pixaGetPix(all.parts, i, L_CLONE);
        const bool wide = may_be_light(mask, part);
        numaAddNumber(all.wide, wide);
        all.wide_count += wide;
        pixDestroy(&part);
    }
    return all;
}

static void parts_free(Parts *all) {
    boxaDestroy(&all->boxes);
    pixaDestroy(&all->parts);
    numaDestroy(&all->wide);
}

/* Strokes with steep outlines. */
typedef struct {
    double finest; /* the least width: the picture is no more blurred than that; 0: there are none */
    double ink;    /* the strongest mean */
} Strokes;

static Strokes steep_strokes(PIX *ink, const Parts *all) {
    enum { MIN_SIDE = 9, MIN_AREA = 40 };
    Strokes strokes = {0};
    for (int i = 0; i < all->count; i++) {
        l_int32 x, y, width, height, wide, area;
        PIX *part = pixaGetPix(all->parts, i, L_CLONE);
        boxaGetBoxGeometry(all->boxes, i, &x, &y, &width, &height);
        numaGetIValue(all->wide, i, &wide);
        pixCountPixels(part, &area, NULL);
        if (!wide && larger(width, height) >= MIN_SIDE && area >= MIN_AREA &&
            steepness(ink, part, part, x, y, MIN_REACH) >= STEEP) {
            const double own = page_stroke_width(part);
            strokes.finest = strokes.finest > 0 ? fmin(strokes.finest, own) : own;
            strokes.ink = fmax(strokes.ink, page_mean_where(ink, part, x, y));
        }
        pixDestroy(&part);
    }
    return strokes;
}

/* Whether the wide regions of a part are fainter than strokes that lie in them, as those in a hard shadow
 * are: these have about the width of the page's finest strokes. */
static bool is_crossed(PIX *ink, PIX *part, PIX *wide, int x, int y, double finest) {
    const double darker = 1.35, least_area = 4 * finest * finest;
    l_float32 usual = 0;
    l_int32 area = 0;
    BOX *box = boxCreate(x, y, pixGetWidth(part), pixGetHeight(part));
    PIX *own = pixClipRectangle(ink, box, NULL);
    pixGetRankValueMasked(own, wide, 0, 0, 1, 0.5f, &usual, NULL);
    PIX *dark = pixThresholdToBinary(own, (int)smaller(255, lround(darker * (double)usual)));
    pixInvert(dark, dark);
    pixAnd(dark, dark, part);
    pixOpenBrick(dark, dark, 2, 2);
    pixCountPixels(dark, &area, NULL);
    const double width = page_stroke_width(dark);
    pixDestroy(&dark);
    pixDestroy(&own);
    boxDestroy(&box);
    return area >= least_area && 2 * width >= finest && 3 * width <= page_stroke_width(wide);
}

/* Whether a part may be a digit in a broad pen: about as dark as finer strokes, darker than shadows mostly
 * are, which leave half of the light, and of strokes itself. */
static bool is_broad_digit(PIX *ink, PIX *part, int x, int y, const Strokes *strokes) {
    const double as_dark = 0.8, half = 128, mean = page_mean_where(ink, part, x, y);
    const int width = pixGetWidth(part), height = pixGetHeight(part);
    return 2 * width <= 3 * height && 3 * page_stroke_width(part) <= height &&
           mean >= fmax(half, as_dark * strokes->ink);
}

/* Whether a part's wide regions have an outline that is softer than finer strokes, or are far fainter than
 * strokes that cross them. */
static bool is_light(PIX *ink, PIX *part, PIX *wide, int x, int y, const Strokes *strokes) {
    const double reach = fmin(page_stroke_width(wide) / 8, strokes->finest / 2);
    if (is_broad_digit(ink, part, x, y, strokes)) return false;
    return steepness(ink, wide, part, x, y, (int)larger(MIN_REACH, lround(reach))) < STEEP ||
           is_crossed(ink, part, wide, x, y, strokes->finest);
}

PageLight page_remove_light(PIX *ink, PIX *mask) {
    Parts all = parts_of(mask);
    const Strokes strokes = all.wide_count ? steep_strokes(ink, &all) : (Strokes){0};
    PageLight light = {0};
    PIX *lights = strokes.finest > 0 ? pixCreateTemplate(mask) : NULL; /* their wide regions */
    for (int i = 0; i < all.count && lights; i++) {
        l_int32 x, y, width, height, may_be;
        boxaGetBoxGeometry(all.boxes, i, &x, &y, &width, &height);
        numaGetIValue(all.wide, i, &may_be);
        if (!may_be) continue;
        PIX *part = pixaGetPix(all.parts, i, L_CLONE), *wide = wide_regions(part, MIN_WIDTH);
        if (is_light(ink, part, wide, x, y, &strokes)) {
            light.ink = fmax(light.ink, page_mean_where(ink, part, x, y));
            pixRasterop(lights, x, y, width, height, PIX_DST | PIX_SRC, wide, 0, 0);
            pixRasterop(mask, x, y, width, height, PIX_DST & PIX_NOT(PIX_SRC), part, 0, 0);
        }
        pixDestroy(&wide);
        pixDestroy(&part);
    }
    if (lights) light.width = (int)page_stroke_width(lights);
    pixDestroy(&lights);
    parts_free(&all);
    return light;
}
