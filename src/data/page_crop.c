#include "data/page_crop.h"

#include "core/integers.h"

#include <math.h>
#include <stdbool.h>

/* Pixels of a mask along the page's edge, how many runs they make, and how many pixels there are. */
typedef struct {
    int inked, runs, all;
} EdgeInk;

static EdgeInk ink_along_edge(PIX *mask) {
    const int width = pixGetWidth(mask), height = pixGetHeight(mask), around = 2 * (width + height) - 4;
    EdgeInk edge = {0, 0, around};
    l_uint32 before = 0, value;
    pixGetPixel(mask, 0, 1, &before);
    for (int i = 0; i < around; i++) { /* clockwise from the upper left corner */
        int x = i, y = 0;
        if (i >= 2 * width + height - 2)
            x = 0, y = around - i;
        else if (i >= width + height - 1)
            x = 2 * width + height - 3 - i, y = height - 1;
        else if (i >= width)
            x = width - 1, y = i - width + 1;
        pixGetPixel(mask, x, y, &value);
        edge.inked += value != 0;
        edge.runs += value && !before;
        before = value;
    }
    return edge;
}

/* Where a page is dark, or light: the side of its two that has less of the page's edge. NULL if it has no two
 * sides. */
static PIX *inked(PIX *page) {
    PIX *mask = NULL;
    const int width = pixGetWidth(page), height = pixGetHeight(page);
    pixOtsuAdaptiveThreshold(page, width, height, 0, 0, 0.1f, NULL, &mask);
    if (!mask) return NULL;
    const EdgeInk edge = ink_along_edge(mask);
    if (2 * edge.inked > edge.all) pixInvert(mask, mask);
    return mask;
}

/* Whether one part of a mask reaches nearly all over it and has nearly all of its pixels. */
static bool is_one_part(PIX *mask) {
    PIXA *parts = NULL;
    BOXA *boxes = pixConnComp(mask, &parts, 8);
    const int width = pixGetWidth(mask), height = pixGetHeight(mask);
    l_int32 all = 0;
    bool one = false;
    pixCountPixels(mask, &all, NULL);
    for (int i = 0; i < boxaGetCount(boxes); i++) {
        l_int32 area = 0, wide, tall;
        PIX *part = pixaGetPix(parts, i, L_CLONE);
        pixCountPixels(part, &area, NULL);
        boxaGetBoxGeometry(boxes, i, NULL, NULL, &wide, &tall);
        one = one ||
              (100 * (int64_t)area >= 85 * (int64_t)all && 10 * wide >= 7 * width && 10 * tall >= 8 * height);
        pixDestroy(&part);
    }
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    return one;
}

/* A digit touches each side in a place or two, and leaves paper at most of the edge; rules and squares touch
 * in many, and margins of a scan along whole sides. */
static bool is_cut_out_digit(PIX *mask) {
    const int most_runs = 8;
    const int64_t pixels = (int64_t)pixGetWidth(mask) * pixGetHeight(mask);
    const EdgeInk edge = ink_along_edge(mask);
    l_int32 area = 0;
    pixCountPixels(mask, &area, NULL);
    return 100 * (int64_t)area >= 12 * pixels && 100 * (int64_t)area <= 75 * pixels && edge.runs >= 2 &&
           edge.runs <= most_runs && 100 * edge.inked <= 45 * edge.all && is_one_part(mask);
}

/* The median of what isn't inked: the mean would be that of strokes' blurred edges, too. */
static l_uint32 paper_level(PIX *page, PIX *mask) {
    l_float32 level = 0;
    PIX *paper = pixInvert(NULL, mask);
    pixGetRankValueMasked(page, paper, 0, 0, 1, 0.5f, &level, NULL);
    pixDestroy(&paper);
    return (l_uint32)lroundf(level);
}

PIX *page_with_margin(PIX *page, int *margin) {
    const int width = pixGetWidth(page), height = pixGetHeight(page), least = 16; /* Otsu's needs them */
    PIX *mask = smaller(width, height) >= least ? inked(page) : NULL, *wider = NULL;
    if (mask && is_cut_out_digit(mask)) {
        *margin = (int)larger(width, height) / 2;
        wider = pixAddBorder(page, *margin, paper_level(page, mask));
    }
    pixDestroy(&mask);
    return wider;
}
