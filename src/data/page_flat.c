#include "data/page_flat.h"

#include "core/integers.h"
#include "core/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Whether the sides are as level and upright as those of a page that was scanned. */
static bool is_flat(const PageCorners *at, double width, double height) {
    const double most = 0.01;
    return abs(at->y[0] - at->y[1]) <= most * width && abs(at->y[2] - at->y[3]) <= most * width &&
           abs(at->x[0] - at->x[3]) <= most * height && abs(at->x[1] - at->x[2]) <= most * height;
}

static double length(const PageCorners *at, int a, int b) {
    return hypot(at->x[a] - at->x[b], at->y[a] - at->y[b]);
}

/* Whether the corners are those of a rectangle seen at an angle: none of them is on a line with its
 * neighbours, and opposite sides are alike, as they aren't where a triangle's corner counts as two. */
static bool are_of_rectangle(const PageCorners *at) {
    const double least_sine = 0.2, least_ratio = 0.5;
    for (int c = 0; c < 4; c++) {
        const int next = (c + 1) % 4, opposite = (c + 2) % 4, before = (c + 3) % 4;
        const double x = at->x[next] - at->x[c], y = at->y[next] - at->y[c];
        const double to_x = at->x[before] - at->x[c], to_y = at->y[before] - at->y[c];
        const double side = length(at, c, next), other = length(at, opposite, before);
        if (side < least_ratio * other || x * to_y - y * to_x <= least_sine * side * length(at, before, c))
            return false;
    }
    return true;
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
    const int width =
                  (int)smaller(lround((length(&from, 0, 1) + length(&from, 3, 2)) / 2), pixGetWidth(part)),
              height =
                  (int)smaller(lround((length(&from, 0, 3) + length(&from, 1, 2)) / 2), pixGetHeight(part));
    pixDestroy(&sheet);
    if (is_flat(&from, width, height) || !are_of_rectangle(&from))
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
