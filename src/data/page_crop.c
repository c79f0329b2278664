#include "data/page_crop.h"

#include "core/integers.h"
#include "data/page_lines.h"
#include "data/page_mask.h"

#include <math.h>
#include <stdbool.h>

/* Where a page is nearer to its darker part's light than to the lighter part's. */
static PIX *dark_of(PIX *page) {
    l_float32 dark = 0, light = 0;
    NUMA *histogram = pixGetGrayHistogram(page, 1);
    numaSplitDistribution(histogram, 0.1f, NULL, &dark, &light, NULL, NULL, NULL);
    numaDestroy(&histogram);
    return pixThresholdToBinary(page, (int)fmaxf(0, fminf(ceilf((dark + light) / 2), 255)));
}

/* A mask without all that is at least `depth` pixels from its edge. */
static PIX *rim_of(PIX *mask, int depth) {
    const int width = pixGetWidth(mask), height = pixGetHeight(mask);
    PIX *rim = pixCopy(NULL, mask);
    if (2 * depth < smaller(width, height))
        pixRasterop(rim, depth, depth, width - 2 * depth, height - 2 * depth, PIX_CLR, NULL, 0, 0);
    return rim;
}

/* Where a page is dark, or light: the side of its two that has less of the page's edge. */
static PIX *inked(PIX *page) {
    PIX *mask = dark_of(page), *rim = rim_of(mask, 1);
    l_int32 dark = 0;
    pixCountPixels(rim, &dark, NULL);
    if (dark > pixGetWidth(page) + pixGetHeight(page) - 2) pixInvert(mask, mask);
    pixDestroy(&rim);
    return mask;
}

/* How much of the sides of a mask has ink within `depth` pixels. */
static double covered_sides(PIX *mask, int depth) {
    const int width = pixGetWidth(mask), height = pixGetHeight(mask);
    const double level = page_side_covered(mask, 0, 0, width, depth) +
                         page_side_covered(mask, 0, height - depth, width, depth),
                 upright = page_side_covered(mask, 0, 0, depth, height) +
                           page_side_covered(mask, width - depth, 0, depth, height);
    return (level * width + upright * height) / (2 * (width + height));
}

/* The parts of a mask that have more than a few of its pixels; *count: how many there are. */
static PIX *without_specks(PIX *mask, int *count) {
    l_int32 all = 0;
    PIXA *parts = NULL;
    BOXA *boxes = pixConnComp(mask, &parts, 8);
    PIX *large = pixCreateTemplate(mask);
    pixCountPixels(mask, &all, NULL);
    *count = 0;
    for (int i = 0; i < boxaGetCount(boxes); i++) {
        l_int32 area = 0, x, y, width, height;
        PIX *part = pixaGetPix(parts, i, L_CLONE);
        pixCountPixels(part, &area, NULL);
        boxaGetBoxGeometry(boxes, i, &x, &y, &width, &height);
        if (20 * (int64_t)area >= all) {
            pixRasterop(large, x, y, width, height, PIX_PAINT, part, 0, 0);
            ++*count;
        }
        pixDestroy(&part);
    }
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    return large;
}

/* Pixels from the edge within which a stroke touches it. */
static int touching_depth(PIX *mask) {
    const int longer = (int)larger(pixGetWidth(mask), pixGetHeight(mask));
    return (int)larger(1, smaller(lround(page_stroke_width(mask) / 2), longer / 40));
}

/* A digit's strokes touch each side in a place or two, and leave paper at most of the edge; rules and squares
 * touch in many, and frames and margins of a scan along whole sides. */
static bool touches_in_places(PIX *mask) {
    const int most_places = 8, depth = touching_depth(mask);
    l_int32 places = 0;
    PIX *rim = rim_of(mask, depth);
    pixCountConnComp(rim, 8, &places);
    pixDestroy(&rim);
    const bool slim = 2 * pixGetWidth(mask) < pixGetHeight(mask); /* a 1 covers its long sides */
    return places <= most_places && (slim || covered_sides(mask, depth) <= 0.45);
}

/* The box of a mask alone, if it touches two sides at least, and reaches to all of them but for no more than
 * the width of its strokes. NULL if it doesn't. */
static PIX *cut_to_outline(PIX *mask) {
    const int width = pixGetWidth(mask), height = pixGetHeight(mask), most = (int)larger(width, height) / 8,
              touching = 3, near = (int)larger(touching, smaller(most, lround(page_stroke_width(mask))));
    int touched = 0, reached = 0;
    l_int32 x, y, wide, tall;
    BOX *box = NULL;
    PIX *cut = NULL;
    if (pixClipToForeground(mask, &cut, &box) || !box) return NULL;
    boxGetGeometry(box, &x, &y, &wide, &tall);
    const int gaps[] = {x, y, width - x - wide, height - y - tall};
    for (int side = 0; side < 4; side++) {
        touched += gaps[side] <= touching;
        reached += gaps[side] <= near;
    }
    if (touched < 2 || reached < 4) pixDestroy(&cut);
    boxDestroy(&box);
    return cut;
}

/* The median of a page where a mask is 1: the mean would be that of strokes' blurred edges, too. */
static float median_where(PIX *page, PIX *mask) {
    l_float32 level = 0;
    pixGetRankValueMasked(page, mask, 0, 0, 1, 0.5f, &level, NULL);
    return level;
}

/* The light of what isn't inked. */
static float paper_level(PIX *page, PIX *mask) {
    PIX *paper = pixInvert(NULL, mask);
    const float level = median_where(page, paper);
    pixDestroy(&paper);
    return level;
}

/* How many pixels' light is about halfway between that of a page's ink and that of its paper. */
static int half_lit(PIX *page, PIX *mask) {
    const float ink = median_where(page, mask), paper = paper_level(page, mask),
                ends[] = {(3 * ink + paper) / 4, (ink + 3 * paper) / 4};
    l_int32 count = 0;
    PIX *half = pixGenerateMaskByBand(page, (int)fminf(ends[0], ends[1]), (int)fmaxf(ends[0], ends[1]), 1, 0);
    pixCountPixels(half, &count, NULL);
    pixDestroy(&half);
    return count;
}

/* Whether the light changes from that of ink to that of paper within a few pixels, or at least over less than
 * a stroke is wide, as where a small picture was enlarged. In a shadow it changes over more. */
static bool has_edges(PIX *page, PIX *mask) {
    const int sharp = 2;
    const double most = 0.7; /* of the strokes, which have two edges */
    l_int32 area = 0;
    pixCountPixels(mask, &area, NULL);
    const double outline = 2 * area / fmax(page_stroke_width(mask), 1);
    return half_lit(page, mask) <= fmax(sharp * outline, most * area);
}

/* Whether a mask may have a few strokes and some specks: not the many parts of noise or of a page. */
static bool is_simple(PIX *mask) {
    const int many = 300;
    const int64_t pixels = (int64_t)pixGetWidth(mask) * pixGetHeight(mask);
    l_int32 area = 0, parts = 0;
    pixCountPixels(mask, &area, NULL);
    if (50 * (int64_t)area < pixels || 100 * (int64_t)area > 75 * pixels) return false;
    pixCountConnComp(mask, 8, &parts);
    return parts <= many;
}

/* Whether a page is what was cut out of a picture; mask: its ink. */
static bool is_cut_out(PIX *page, PIX *mask) {
    enum { FEW = 6 };
    int parts;
    if (!is_simple(mask)) return false;
    PIX *shapes = without_specks(mask, &parts), *outline = parts <= FEW ? cut_to_outline(shapes) : NULL;
    const bool cut_out = outline && touches_in_places(outline) && has_edges(page, mask);
    pixDestroy(&outline);
    pixDestroy(&shapes);
    return cut_out;
}

PIX *page_with_margin(PIX *page, int *margin) {
    const int width = pixGetWidth(page), height = pixGetHeight(page), least = 8; /* pixels */
    PIX *mask = smaller(width, height) >= least ? inked(page) : NULL, *wider = NULL;
    if (mask && is_cut_out(page, mask)) {
        *margin = (int)smaller(larger(width, height) / 2, larger(200, 3 * smaller(width, height)));
        wider = pixAddBorder(page, *margin, (l_uint32)lroundf(paper_level(page, mask)));
    }
    pixDestroy(&mask);
    return wider;
}
