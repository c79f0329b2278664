#include "data/page_flat.h"

#include "core/integers.h"
#include "core/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* The length of the sides from corner a to b and from c to d, on average. */
static double mean_length(const PageCorners *at, int a, int b, int c, int d) {
    return (hypot(at->x[a] - at->x[b], at->y[a] - at->y[b]) +
            hypot(at->x[c] - at->x[d], at->y[c] - at->y[d])) /
           2;
}

/* Whether the sides are as level and upright as those of a page that was scanned. */
static bool is_flat(const PageCorners *at, double width, double height) {
    const double most = 0.01;
    return abs(at->y[0] - at->y[1]) <= most * width && abs(at->y[2] - at->y[3]) <= most * width &&
           abs(at->x[0] - at->x[3]) <= most * height && abs(at->x[1] - at->x[2]) <= most * height;
}

static PTA *points_of(const PageCorners *at) {
    PTA *points = ptaCreate(4);
    for (int c = 0; c < 4; c++)
        ptaAddPt(points, (l_float32)at->x[c], (l_float32)at->y[c]);
    return points;
}

/* Leptonica's result is as large as its source, in which the upright rectangle has room. */
static PIX *upper_left(PIX **whole, int width, int height) {
    BOX *box = boxCreate(0, 0, width, height);
    PIX *part = *whole ? pixClipRectangle(*whole, box, NULL) : NULL;
    pixDestroy(whole);
    boxDestroy(&box);
    if (!part) fatal("out of memory for a sheet in a picture; read smaller pictures");
    return part;
}

PageFlat page_flatten(PIX *part, PIX *outside) {
    PIX *sheet = pixInvert(NULL, outside);
    const PageCorners from = page_sheet_corners(sheet);
    const int width = (int)smaller(lround(mean_length(&from, 0, 1, 3, 2)), pixGetWidth(part)),
              height = (int)smaller(lround(mean_length(&from, 0, 3, 1, 2)), pixGetHeight(part));
    pixDestroy(&sheet);
    if (is_flat(&from, width, height))
        return (PageFlat){.page = pixClone(part), .outside = pixClone(outside)};
    const PageCorners to = {{0, width - 1, width - 1, 0}, {0, 0, height - 1, height - 1}};
    PTA *source = points_of(&from), *target = points_of(&to);
    PageFlat flat = {0};
    PIX *page = pixProjectivePtaGray(part, target, source, 255);
    PIX *around = pixProjectiveSampledPta(outside, target, source, L_BRING_IN_BLACK);
    flat.page = upper_left(&page, width, height);
    flat.outside = upper_left(&around, width, height);
    getProjectiveXformCoeffs(target, source, &flat.back);
    ptaDestroy(&source);
    ptaDestroy(&target);
    return flat;
}

void page_flat_free(PageFlat *flat) {
    pixDestroy(&flat->page);
    pixDestroy(&flat->outside);
    lept_free(flat->back);
    *flat = (PageFlat){0};
}

void page_flat_back(const PageFlat *flat, FoundDigits *found, int64_t before) {
    for (int64_t i = before; flat->back && i < found->count; i++) {
        FoundDigit *digit = &found->digits[i];
        double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
        for (int corner = 0; corner < 4; corner++) {
            l_float32 x = 0, y = 0;
            projectiveXformPt(flat->back, digit->x + digit->width * (corner & 1),
                              digit->y + digit->height * (corner >> 1), &x, &y);
            left = fmin(left, (double)x);
            right = fmax(right, (double)x);
            top = fmin(top, (double)y);
            bottom = fmax(bottom, (double)y);
        }
        digit->x = (int)lround(left);
        digit->y = (int)lround(top);
        digit->width = (int)larger(1, lround(right - left));
        digit->height = (int)larger(1, lround(bottom - top));
    }
}
