#include "data/page_bright.h"

#include <stdbool.h>

PIX *page_bright_within(PIX *grey, PIX *mask) {
    l_int32 level = 0;
    NUMA *histogram = pixGetGrayHistogramMasked(grey, mask, 0, 0, 1);
    numaSplitDistribution(histogram, 0.1f, &level, NULL, NULL, NULL, NULL, NULL);
    numaDestroy(&histogram);
    PIX *bright = pixThresholdToBinary(grey, level + 1);
    pixInvert(bright, bright);
    pixAnd(bright, bright, mask);
    return bright;
}

void page_fill_ink(PIX *part) {
    const int joined = 9;
    pixCloseSafeBrick(part, part, joined, joined);
    PIX *holes = pixHolesByFilling(part, 4);
    pixOr(part, part, holes);
    pixDestroy(&holes);
}

/* A part of a mask [as page] with what is written on it. */
static PIX *part_with_ink(PIX *mask, BOXA *boxes, PIXA *parts, int i) {
    l_int32 x, y, width, height;
    PIX *whole = pixCreateTemplate(mask), *part = pixaGetPix(parts, i, L_CLONE);
    boxaGetBoxGeometry(boxes, i, &x, &y, &width, &height);
    pixRasterop(whole, x, y, width, height, PIX_SRC, part, 0, 0);
    page_fill_ink(whole);
    pixDestroy(&part);
    return whole;
}

int page_large_parts(PIX *mask, PIX **large, int most) {
    PIXA *parts = NULL;
    BOXA *boxes = pixConnComp(mask, &parts, 4);
    int count = 0;
    for (int i = 0; i < boxaGetCount(boxes) && count < most; i++) {
        l_int32 width, height;
        boxaGetBoxGeometry(boxes, i, NULL, NULL, &width, &height);
        if (20 * width * height >= pixGetWidth(mask) * pixGetHeight(mask))
            large[count++] = part_with_ink(mask, boxes, parts, i);
    }
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    return count;
}

/* The largest part of a mask with what is written on it, which is destroyed; NULL: there is none. */
static PIX *largest_of(PIX *mask) {
    PIXA *parts = NULL;
    BOXA *boxes = pixConnComp(mask, &parts, 4);
    l_int32 most = 0, at = 0;
    for (int i = 0; i < boxaGetCount(boxes); i++) {
        l_int32 area;
        PIX *part = pixaGetPix(parts, i, L_CLONE);
        pixCountPixels(part, &area, NULL);
        pixDestroy(&part);
        if (area <= most) continue;
        most = area;
        at = i;
    }
    PIX *largest = most ? part_with_ink(mask, boxes, parts, at) : NULL;
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    pixDestroy(&mask);
    return largest;
}

PIX *page_without_strips(PIX *bright, PIX *part) {
    const int wide = 11; /* pixels; less than the paper between lines and around them */
    PIX *own = pixAnd(NULL, bright, part);
    pixOpenBrick(own, own, wide, wide);
    return largest_of(own);
}

PIX *page_without_narrow(PIX *part) {
    BOX *box = NULL;
    l_int32 width = 0, height = 0;
    pixClipToForeground(part, NULL, &box);
    boxGetGeometry(box, NULL, NULL, &width, &height);
    boxDestroy(&box);
    const int wide = L_MAX(L_MIN(width, height) / 2, 1);
    return largest_of(pixOpenBrick(NULL, part, wide, wide));
}
