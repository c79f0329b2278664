#include "data/page_skew.h"

#include "core/integers.h"
#include "core/status.h"
#include "data/page_mask.h"

#include <math.h>

enum { LONG_SIDE = 800 /* pixels in which rules are seen well enough */ };

double page_find_skew(PIX *page, bool dark) {
    const float sure = 5, most_degrees = 8;
    const double least_degrees = 0.3; /* rules that are this level are found as they are */
    const int width = pixGetWidth(page), height = pixGetHeight(page);
    const float scale = (float)LONG_SIDE / (float)larger(width, height);
    PIX *small = scale < 1 ? pixScale(page, scale, scale) : pixCopy(NULL, page);
    if (!small) return 0;
    if (!dark) pixInvert(small, small);
    const int window = (int)smaller(pixGetWidth(small), pixGetHeight(small)) / 2;
    PIX *ink = page_ink(small, window, dark), *mask = page_threshold(ink, window / 4);
    l_float32 degrees = 0, confidence = 0;
    pixFindSkewSweepAndSearch(mask, &degrees, &confidence, 2, 1, most_degrees, 1, 0.02f);
    pixDestroy(&mask);
    pixDestroy(&ink);
    pixDestroy(&small);
    return confidence >= sure && fabs((double)degrees) >= least_degrees ? (double)degrees * M_PI / 180 : 0;
}

void page_turn(PIX **page, PIX **outside, double angle) {
    l_uint32 paper = 255;
    if (!*outside) *outside = pixCreate(pixGetWidth(*page), pixGetHeight(*page), 1);
    pixGetRankValue(*page, 1, 0.5f, &paper);
    PIX *turned = pixRotateAMGray(*page, (l_float32)angle, (l_uint8)paper);
    PIX *around = pixRotate(*outside, (l_float32)angle, L_ROTATE_SAMPLING, L_BRING_IN_BLACK, 0, 0);
    if (!turned || !around) fatal("out of memory for a picture that is askew; read smaller pictures");
    pixDestroy(page);
    pixDestroy(outside);
    *page = turned;
    *outside = around;
}

void page_turn_back(FoundDigits *found, int64_t before, int width, int height, double angle) {
    for (int64_t i = before; i < found->count; i++) {
        FoundDigit *digit = &found->digits[i];
        const double x = digit->x + (digit->width - width) / 2.0,
                     y = digit->y + (digit->height - height) / 2.0;
        const double back_x = x * cos(angle) + y * sin(angle), back_y = y * cos(angle) - x * sin(angle);
        digit->x = (int)larger(0, lround(back_x - (digit->width - width) / 2.0));
        digit->y = (int)larger(0, lround(back_y - (digit->height - height) / 2.0));
    }
}
