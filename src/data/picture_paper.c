#include "data/picture_paper.h"

#include <stdbool.h>
#include <stdlib.h>

/* Replaces *pix by the result of a conversion, which is NULL if the conversion failed. */
static void replace(PIX **pix, PIX *converted) {
    pixDestroy(pix);
    *pix = converted;
}

static int luminance_of(l_uint32 word) {
    return (int)((299 * (word >> 24) + 587 * (word >> 16 & 255) + 114 * (word >> 8 & 255)) / 1000);
}

/* Brightnesses of some opaque pixels. */
typedef struct {
    int64_t count, histogram[256];
} Levels;

static void add_level(Levels *levels, int level) {
    levels->histogram[level]++;
    levels->count++;
}

static int rank_of(const Levels *levels, double share) {
    int64_t below = 0;
    int level = 0;
    while (level < 255 && (double)(below += levels->histogram[level]) <= share * (double)levels->count)
        level++;
    return level;
}

enum { SOLID = 200 }; /* alpha of what counts as opaque */

/* Of all opaque pixels, and of those that have a transparent one to the left or right. */
static void opaque_levels(PIX *pix, Levels *all, Levels *edge) {
    const int width = pixGetWidth(pix);
    for (int y = 0; y < pixGetHeight(pix); y++) {
        const l_uint32 *line = pixGetData(pix) + (int64_t)y * pixGetWpl(pix);
        for (int x = 0; x < width; x++) {
            if ((line[x] & 255) < SOLID) continue;
            const int level = luminance_of(line[x]);
            add_level(all, level);
            if ((x > 0 && (line[x - 1] & 255) < SOLID) || (x + 1 < width && (line[x + 1] & 255) < SOLID))
                add_level(edge, level);
        }
    }
}

/* The grey that shows through. */
static int paper_level(PIX *pix) {
    enum { INK_SPREAD = 96, EDGE_DIFFERS = 32 };
    Levels all = {0}, edge = {0};
    opaque_levels(pix, &all, &edge);
    if (!all.count) return 255;
    const int middle = rank_of(&all, 0.5), rim = rank_of(&edge, 0.5);
    /* of ink alone the brightness hardly varies */
    if (rank_of(&all, 0.98) - rank_of(&all, 0.02) <= INK_SPREAD) return middle < 128 ? 255 : 0;
    /* one colour was declared transparent: ink that fades into it is left */
    if (abs(rim - middle) > EDGE_DIFFERS) return rim > middle ? 255 : 0;
    return middle;
}

/* pix: 32 bits with alpha, its lines without gaps. */
static void blend(PIX *pix, PicturePaper kind) {
    l_uint32 *words = pixGetData(pix);
    const int64_t pixels = (int64_t)pixGetWidth(pix) * pixGetHeight(pix);
    bool transparent = false;
    for (int64_t i = 0; i < pixels && !transparent; i++)
        transparent = (words[i] & 255) < 255;
    const l_uint32 paper = transparent && kind == PAPER_FOUND ? (l_uint32)paper_level(pix) : 255;
    for (int64_t i = 0; i < pixels && transparent; i++) {
        const l_uint32 alpha = words[i] & 255;
        l_uint32 mixed = 0;
        for (int shift = 8; shift <= 24; shift += 8)
            mixed |= ((words[i] >> shift & 255) * alpha + paper * (255 - alpha) + 127) / 255 << shift;
        words[i] = mixed;
    }
    pixSetSpp(pix, 3);
}

static bool is_grey(PIX *pix) {
    const l_uint32 *words = pixGetData(pix);
    for (int64_t i = 0; i < (int64_t)pixGetWidth(pix) * pixGetHeight(pix); i++)
        if ((words[i] >> 24 & 255) != (words[i] >> 16 & 255) ||
            (words[i] >> 24 & 255) != (words[i] >> 8 & 255))
            return false;
    return true;
}

static PIX *first_channel(PIX *pix) {
    return pixGetRGBComponent(pix, COLOR_RED);
}

void picture_lay_on_paper(PIX **pix, PicturePaper paper) {
    l_int32 opaque = 1;
    if (pixGetColormap(*pix)) {
        pixcmapIsOpaque(pixGetColormap(*pix), &opaque);
        replace(pix, pixRemoveColormap(*pix, opaque ? REMOVE_CMAP_TO_FULL_COLOR : REMOVE_CMAP_WITH_ALPHA));
    }
    if (!*pix) return;
    if (pixGetDepth(*pix) != 32) {
        replace(pix, pixConvertTo8(*pix, FALSE));
        return;
    }
    if (pixGetSpp(*pix) == 4) blend(*pix, paper);
    if (is_grey(*pix)) replace(pix, first_channel(*pix));
}

/* Mean square of the differences between pixels that are a stroke's width apart, to the right and below:
 * edges of strokes count, and large areas of other colours, such as marked ones, hardly do. */
static double edges_in(PIX *grey) {
    const int width = pixGetWidth(grey), height = pixGetHeight(grey);
    const int apart = L_MAX(1, L_MIN(width, height) / 32);
    double sum = 0;
    int64_t count = 0;
    for (int y = 0; y + apart < height; y += apart) {
        const l_uint32 *line = pixGetData(grey) + (int64_t)y * pixGetWpl(grey);
        const l_uint32 *below = line + (int64_t)apart * pixGetWpl(grey);
        for (int x = 0; x + apart < width; x++, count++) {
            const int own = GET_DATA_BYTE(line, x), right = GET_DATA_BYTE(line, x + apart) - own,
                      down = GET_DATA_BYTE(below, x) - own;
            sum += right * right + down * down;
        }
    }
    return sum / (double)L_MAX(count, 1);
}

PIX *picture_grey(PIX *page) {
    if (pixGetDepth(page) != 32) return pixClone(page);
    PIX *grey = pixConvertRGBToLuminance(page);
    double shows = 4 * edges_in(grey);
    for (int channel = COLOR_RED; channel <= COLOR_BLUE; channel++) {
        PIX *single = pixGetRGBComponent(page, channel);
        const double edges = edges_in(single);
        if (edges > shows) {
            shows = edges;
            replace(&grey, single);
        } else
            pixDestroy(&single);
    }
    return grey;
}
