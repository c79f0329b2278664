#include "data/page_mask.h"

#include "core/integers.h"

#include <math.h>
#include <stdint.h>

enum {
    MIN_LIGHT = 32, /* paper darker than this, of 255, is taken to be as light, lest noise grows */
    MIN_INK = 14    /* fainter than this, of 255, is paper */
};

PIX *page_ink(PIX *grey, int window, bool relative) {
    PIX *paper = pixCloseGray(grey, window | 1, window | 1), *ink = pixCreateTemplate(grey);
    for (int y = 0; y < pixGetHeight(grey); y++) {
        const l_uint32 *from = pixGetData(grey) + (int64_t)y * pixGetWpl(grey);
        const l_uint32 *light = pixGetData(paper) + (int64_t)y * pixGetWpl(paper);
        l_uint32 *to = pixGetData(ink) + (int64_t)y * pixGetWpl(ink);
        for (int x = 0; x < pixGetWidth(grey); x++) {
            const int full = GET_DATA_BYTE(light, x), darker = full - GET_DATA_BYTE(from, x);
            const int value = relative ? darker * 255 / L_MAX(full, MIN_LIGHT) : darker;
            SET_DATA_BYTE(to, x, L_MIN(value, 255));
        }
    }
    pixDestroy(&paper);
    return ink;
}

/* Level below which a share of the pixels lie. */
static int rank_level(NUMA *histogram, double share) {
    l_float32 value = 0;
    numaHistogramGetValFromRank(histogram, (l_float32)share, &value);
    return (int)value;
}

/* The paper's level and what rises above its noise. Ink never fills half of a page, so that the lower half
 * of the pixels is paper: their spread is the noise. */
static void paper_noise(PIX *ink, int *level, int *threshold) {
    NUMA *histogram = pixGetGrayHistogram(ink, 1);
    const int middle = rank_level(histogram, 0.5), lower = rank_level(histogram, 0.16);
    *level = middle;
    *threshold = middle + L_MAX(MIN_INK, 4 * (middle - lower));
    numaDestroy(&histogram);
}

PIX *page_threshold(PIX *ink, int reach) {
    const int percent = 40; /* of the strongest ink near by */
    int level, threshold;
    paper_noise(ink, &level, &threshold);
    PIX *strongest = pixDilateGray(ink, reach | 1, reach | 1);
    PIX *mask = pixCreate(pixGetWidth(ink), pixGetHeight(ink), 1);
    for (int y = 0; y < pixGetHeight(ink); y++) {
        const l_uint32 *from = pixGetData(ink) + (int64_t)y * pixGetWpl(ink);
        const l_uint32 *peak = pixGetData(strongest) + (int64_t)y * pixGetWpl(strongest);
        l_uint32 *to = pixGetData(mask) + (int64_t)y * pixGetWpl(mask);
        for (int x = 0; x < pixGetWidth(ink); x++) {
            const int value = GET_DATA_BYTE(from, x);
            if (value >= threshold && 100 * (value - level) >= percent * (GET_DATA_BYTE(peak, x) - level))
                SET_DATA_BIT(to, x);
        }
    }
    pixDestroy(&strongest);
    return mask;
}

double page_stroke_width(PIX *mask) {
    l_int32 area = 0, inner = 0;
    PIX *eroded = pixErodeBrick(NULL, mask, 3, 3);
    pixCountPixels(mask, &area, NULL);
    pixCountPixels(eroded, &inner, NULL);
    pixDestroy(&eroded);
    return area > inner ? 2.0 * area / (area - inner) : 0;
}
