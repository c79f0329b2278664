#include "data/page_mask.h"

#include "core/integers.h"
#include "core/status.h"

enum {
    MIN_LIGHT = 32, /* paper darker than this, of 255, is taken to be as light, lest noise grows; */
    DIM = 40,       /* so is what has less than these % of the light of the lightest paper, such as a desk */
    MIN_INK = 14    /* fainter than this, of 255, is paper */
};

PIX *page_ink(PIX *grey, int window, bool relative) {
    PIX *paper = pixCloseGray(grey, window | 1, window | 1), *ink = pixCreateTemplate(grey);
    if (!paper || !ink)
        fatal("out of memory for the light of a picture; read smaller pictures, or fewer at a time");
    l_uint32 lightest = 0;
    pixGetRankValue(paper, 1, 0.95f, &lightest);
    const int least = (int)larger(MIN_LIGHT, (int)lightest * DIM / 100);
    for (int y = 0; y < pixGetHeight(grey); y++) {
        const l_uint32 *from = pixGetData(grey) + (int64_t)y * pixGetWpl(grey);
        const l_uint32 *light = pixGetData(paper) + (int64_t)y * pixGetWpl(paper);
        l_uint32 *to = pixGetData(ink) + (int64_t)y * pixGetWpl(ink);
        for (int x = 0; x < pixGetWidth(grey); x++) {
            const int full = GET_DATA_BYTE(light, x), darker = full - GET_DATA_BYTE(from, x);
            const int value = relative ? darker * 255 / L_MAX(full, least) : darker;
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

/* The paper's level and how far ink rises above its noise, from a histogram. Ink seldom fills half of a
 * place, so that the lower half of the pixels is paper. The noise's standard deviation is taken from the
 * lowest quarter, as ink's blurred edges may lie right above it. */
static void paper_noise(NUMA *histogram, int *level, int *above) {
    const int deviation = rank_level(histogram, 0.25) - rank_level(histogram, 0.05);
    *level = rank_level(histogram, 0.5);
    *above = L_MAX(MIN_INK, 4 * deviation);
}

/* Both as pictures of the ink's size: noise grows where there is little light. A tile that is full of ink
 * counts as the whole page does, or not much more. */
static void paper_maps(PIX *ink, PIX **level, PIX **above) {
    enum { TILES = 8, MIN_TILE = 24 };
    const int width = pixGetWidth(ink), height = pixGetHeight(ink);
    const int columns = (int)larger(1, smaller(TILES, width / MIN_TILE)),
              rows = (int)larger(1, smaller(TILES, height / MIN_TILE));
    PIX *levels = pixCreate(columns, rows, 8), *aboves = pixCreate(columns, rows, 8);
    NUMA *whole = pixGetGrayHistogram(ink, 1);
    int all_level, all_above;
    paper_noise(whole, &all_level, &all_above);
    for (int i = 0; i < rows * columns; i++) {
        const int x = i % columns, y = i / columns, left = x * width / columns, top = y * height / rows;
        BOX *box = boxCreate(left, top, (x + 1) * width / columns - left, (y + 1) * height / rows - top);
        NUMA *histogram = pixGetGrayHistogramInRect(ink, box, 1);
        int tile_level, tile_above;
        paper_noise(histogram, &tile_level, &tile_above);
        pixSetPixel(levels, x, y, (l_uint32)smaller(tile_level, all_level + 8));
        pixSetPixel(aboves, x, y, (l_uint32)smaller(smaller(tile_above, 5 * all_above / 2), 255));
        numaDestroy(&histogram);
        boxDestroy(&box);
    }
    numaDestroy(&whole);
    *level = pixScaleToSize(levels, width, height);
    *above = pixScaleToSize(aboves, width, height);
    pixDestroy(&levels);
    pixDestroy(&aboves);
}

PIX *page_threshold(PIX *ink, int reach) {
    const int percent = 40; /* of the strongest ink near by */
    PIX *level, *above, *strongest = pixDilateGray(ink, reach | 1, reach | 1);
    PIX *mask = pixCreate(pixGetWidth(ink), pixGetHeight(ink), 1);
    paper_maps(ink, &level, &above);
    if (!strongest || !mask || !level || !above)
        fatal("out of memory for the ink of a picture; read smaller pictures, or fewer at a time");
    for (int y = 0; y < pixGetHeight(ink); y++) {
        const l_uint32 *from = pixGetData(ink) + (int64_t)y * pixGetWpl(ink);
        const l_uint32 *peak = pixGetData(strongest) + (int64_t)y * pixGetWpl(strongest);
        const l_uint32 *base = pixGetData(level) + (int64_t)y * pixGetWpl(level);
        const l_uint32 *noise = pixGetData(above) + (int64_t)y * pixGetWpl(above);
        l_uint32 *to = pixGetData(mask) + (int64_t)y * pixGetWpl(mask);
        for (int x = 0; x < pixGetWidth(ink); x++) {
            const int paper = GET_DATA_BYTE(base, x), value = GET_DATA_BYTE(from, x) - paper;
            if (value >= GET_DATA_BYTE(noise, x) && 100 * value >= percent * (GET_DATA_BYTE(peak, x) - paper))
                SET_DATA_BIT(to, x);
        }
    }
    pixDestroy(&strongest);
    pixDestroy(&level);
    pixDestroy(&above);
    return mask;
}

PIX *page_surroundings(PIX *mask) {
    const int width = pixGetWidth(mask), height = pixGetHeight(mask);
    const int side = (int)larger(3, smaller(width, height) / 16);
    PIX *seed = pixCreateTemplate(mask);
    int filled = 0;
    for (int corner = 0; corner < 4; corner++) {
        const int x = corner % 2 ? width - side : 0, y = corner / 2 ? height - side : 0;
        l_int32 inked = 0;
        BOX *box = boxCreate(x, y, side, side);
        pixCountPixelsInRect(mask, box, &inked, NULL);
        boxDestroy(&box);
        if (inked < side * side) continue;
        pixRasterop(seed, x, y, side, side, PIX_SET, NULL, 0, 0);
        filled++;
    }
    PIX *around = filled >= 3 ? pixSeedfillBinary(NULL, seed, mask, 8) : NULL;
    PIX *wider = around ? pixDilateBrick(NULL, around, 5, 5) : NULL;
    pixDestroy(&around);
    pixDestroy(&seed);
    return wider;
}

PIX *page_take_faint(PIX *ink, int level, PIX *mask) {
    const int percent = 30;
    l_float32 strongest = 0;
    if (pixGetRankValueMasked(ink, mask, 0, 0, 1, 0.99f, &strongest, NULL)) return NULL;
    PIX *strong = pixThresholdToBinary(ink, (int)(level + ((double)strongest - level) * percent / 100));
    pixInvert(strong, strong);
    pixAnd(strong, strong, mask);
    PIX *kept = pixSeedfillBinary(NULL, strong, mask, 8), *faint = pixSubtract(NULL, mask, kept);
    pixCopy(mask, kept);
    pixDestroy(&kept);
    pixDestroy(&strong);
    return faint;
}

double page_mean_where(PIX *grey, PIX *mask, int x, int y) {
    l_float32 mean = 0;
    pixGetAverageMasked(grey, mask, x, y, 1, L_MEAN_ABSVAL, &mean);
    return mean;
}

double page_stroke_width(PIX *mask) {
    l_int32 area = 0, inner = 0;
    PIX *eroded = pixErodeBrick(NULL, mask, 3, 3);
    pixCountPixels(mask, &area, NULL);
    pixCountPixels(eroded, &inner, NULL);
    pixDestroy(&eroded);
    return area > inner ? 2.0 * area / (area - inner) : 0;
}
