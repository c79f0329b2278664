#include "data/page_glyph.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/digit_image.h"
#include "data/gate.h"
#include "data/page_lean.h"

#include <math.h>
#include <stdlib.h>

/* Ink where mask is 1, at 0 where it is like paper and at 255 inside of strokes. */
static void level_ink(PIX *ink, PIX *core, int level) {
    l_float32 strong = 0;
    pixGetRankValueMasked(ink, core, 0, 0, 1, 0.9f, &strong, NULL);
    const int high = L_MAX((int)strong, level + 1);
    NUMA *levels = numaMakeConstant(0, 256);
    for (int v = level; v < 256; v++)
        numaSetValue(levels, v, (l_float32)L_MIN((v - level) * 255 / (high - level), 255));
    pixTRCMap(ink, NULL, levels);
    numaDestroy(&levels);
}

/* The ink of a shape alone, with a border of `margin` pixels: its strokes end where they fade out. */
static PIX *cut_ink(PIX *ink, int level, const PageRect *box, PIX *mask, int margin) {
    PIX *cut = pixCreate(box->width + 2 * margin, box->height + 2 * margin, 8),
        *core = pixAddBorder(mask, margin, 0);
    pixRasterop(cut, 0, 0, pixGetWidth(cut), pixGetHeight(cut), PIX_SRC, ink, box->x - margin,
                box->y - margin);
    level_ink(cut, core, level);
    PIX *faint = pixThresholdToBinary(cut, 255 / 6);
    pixInvert(faint, faint);
    const int fade = L_MAX(1, margin / 2);
    PIX *near = pixDilateBrick(NULL, core, 2 * fade + 1, 2 * fade + 1);
    pixAnd(faint, faint, near);
    pixOr(faint, faint, core);
    PIX *whole = pixSeedfillBinary(NULL, core, faint, 8), *around = pixDilateBrick(NULL, whole, 3, 3);
    pixInvert(around, around);
    pixSetMasked(cut, around, 0);
    pixDestroy(&around);
    pixDestroy(&whole);
    pixDestroy(&near);
    pixDestroy(&faint);
    pixDestroy(&core);
    return cut;
}

/* Makes strokes as wide as those of the images that a model learnt from, where they are far from it: 2 to 3
 * of the box's 20 pixels. Only so much that loops stay open and thick strokes whole. */
static void mend_strokes(PIX **digit, double width, double size) {
    const double pixel = size / 20, thin = 1.2 * pixel, thick = 5.5 * pixel;
    if (width < thin) {
        const int wider = (int)lround((1.8 * pixel - width) / 2) * 2 + 1;
        PIX *wide = pixDilateGray(*digit, wider, wider);
        pixDestroy(digit);
        *digit = wide;
    } else if (width > thick) {
        const int narrower = (int)lround(fmin(width - 4.9 * pixel, width / 4) / 2) * 2 + 1;
        PIX *narrow = pixErodeGray(*digit, narrower, narrower);
        pixDestroy(digit);
        *digit = narrow;
    }
}

/* The box of what isn't nearly black; NULL if there is nothing. */
static BOX *inked_box(PIX *digit) {
    BOX *box = NULL;
    PIX *mask = pixThresholdToBinary(digit, 255 / 6);
    pixInvert(mask, mask);
    pixClipToForeground(mask, NULL, &box);
    pixDestroy(&mask);
    return box;
}

void page_read_as_one(PIX *ink, int level, const PageShape *shape, FoundDigit digit, double scale,
                      FoundDigits *found) {
    uint8_t image[PIXELS_MAX];
    const double size = (double)larger(shape->box.width, shape->box.height);
    const int margin = (int)larger(3, lround(size / 8));
    const PageLean lean = page_lean_of(shape->mask);
    PIX *cut = cut_ink(ink, level, &shape->box, shape->mask, margin);
    mend_strokes(&cut, page_stroke_width(shape->mask), size);
    BOX *box = inked_box(cut);
    if (box) {
        PIX *clipped = pixClipRectangle(cut, box, NULL);
        digit_image(clipped, found->spec, image);
        digit.x = (int)lround(shape->box.x * scale);
        digit.y = (int)lround(shape->box.y * scale);
        digit.width = (int)larger(1, lround(shape->box.width * scale));
        digit.height = (int)larger(1, lround(shape->box.height * scale));
        digit.stroke = page_stroke_width(shape->mask) * scale;
        digit.ink = page_mean_where(ink, shape->mask, shape->box.x, shape->box.y) - level;
        digit.lean = lean.lean;
        digit.spread = lean.spread;
        found_digits_add(found, &digit, image);
        pixDestroy(&clipped);
    }
    boxDestroy(&box);
    pixDestroy(&cut);
}

/* Where a cut from the top to the bottom of a mask crosses each row: the path through the fewest pixels of
 * ink that starts near column x, and moves by at most a column a row. path [height] */
static void find_cut(PIX *mask, int x, int reach, int *path) {
    const int width = pixGetWidth(mask), height = pixGetHeight(mask);
    const int first = (int)larger(1, x - reach), last = (int)smaller(width - 2, x + reach),
              columns = last - first + 1;
    if (columns < 1) {
        for (int y = 0; y < height; y++)
            path[y] = x;
        return;
    }
    int *cost = mem_new((size_t)columns * (size_t)height, sizeof *cost);
    for (int y = 0; y < height; y++)
        for (int c = 0; c < columns; c++) {
            l_uint32 inked;
            pixGetPixel(mask, first + c, y, &inked);
            int best = y ? cost[(y - 1) * columns + c] : abs(first + c - x);
            for (int d = -1; y && d <= 1; d += 2)
                if (c + d >= 0 && c + d < columns)
                    best = (int)smaller(best, cost[(y - 1) * columns + c + d] + 1);
            cost[y * columns + c] = best + 10 * (int)inked;
        }
    int at = 0;
    for (int c = 1; c < columns; c++)
        if (cost[(height - 1) * columns + c] < cost[(height - 1) * columns + at]) at = c;
    for (int y = height - 1; y >= 0; y--) {
        path[y] = first + at;
        int next = at;
        for (int d = -1; y && d <= 1; d += 2)
            if (at + d >= 0 && at + d < columns &&
                cost[(y - 1) * columns + at + d] + 1 < cost[(y - 1) * columns + next] + (next != at))
                next = at + d;
        at = next;
    }
    mem_free(cost);
}

/* Whether a cut goes through more than the joint of two digits: through three strokes, across both sides of a
 * loop, or along a stroke. path [height] */
static bool is_torn(PIX *mask, const int *path, double stroke) {
    const int height = pixGetHeight(mask);
    int strokes = 0, inked = 0, first = height, last = 0;
    l_uint32 before = 0;
    for (int y = 0; y < height; y++) {
        l_uint32 ink = 0;
        pixGetPixel(mask, path[y], y, &ink);
        strokes += ink && !before;
        before = ink;
        if (!ink) continue;
        inked++;
        first = (int)smaller(first, y);
        last = y;
    }
    return strokes > 2 || (strokes == 2 && last - first >= 0.6 * height) || inked > 3 * stroke;
}

/* The part of a shape between two cuts, in its smallest box; false if there is almost nothing. */
static bool part_between(const PageShape *shape, const int *left, const int *right, PageShape *part) {
    PIX *mask = pixCopy(NULL, shape->mask), *clipped = NULL;
    for (int y = 0; y < shape->box.height; y++)
        for (int x = 0; x < shape->box.width; x++)
            if ((left && x < left[y]) || (right && x >= right[y])) pixSetPixel(mask, x, y, 0);
    BOX *box = NULL;
    *part = *shape;
    pixClipToForeground(mask, &clipped, &box);
    if (box) {
        l_int32 x, y;
        boxGetGeometry(box, &x, &y, &part->box.width, &part->box.height);
        part->box.x += x;
        part->box.y += y;
        part->mask = clipped;
    }
    const bool found = box != NULL && 2 * part->box.height >= shape->box.height && part->box.width >= 2;
    if (!found) pixDestroy(&clipped);
    boxDestroy(&box);
    pixDestroy(&mask);
    return found;
}

/* The log odds of the digit that image i most likely is; *label: this digit. */
static float best_log_odds(const FoundDigits *found, int64_t i, int *label) {
    float log_odds[GATE_DIGITS];
    gate_log_odds(found->images + i * image_spec_pixels(found->spec), log_odds);
    *label = 0;
    for (int k = 1; k < GATE_DIGITS; k++)
        if (log_odds[k] > log_odds[*label]) *label = k;
    return log_odds[*label];
}

/* Whether an image is a digit with at least these log odds. */
static bool is_digit(const FoundDigits *found, int64_t i, float least) {
    int label;
    return best_log_odds(found, i, &label) >= least;
}

int page_likely_digit(PIX *ink, int level, const PageShape *shape, ImageSpec spec, float least) {
    FoundDigits one = {.spec = spec};
    int label = -1;
    if (!gate_knows(spec)) return -1;
    page_read_as_one(ink, level, shape, (FoundDigit){0}, 1, &one);
    if (one.count && best_log_odds(&one, 0, &label) < least) label = -1;
    found_digits_free(&one);
    return label;
}

/* Whether the last two images are a 1 and its upstroke: both look like a 1, but one is much lower. */
static bool is_upstroke(const FoundDigits *found) {
    int a, b;
    best_log_odds(found, found->count - 2, &a);
    best_log_odds(found, found->count - 1, &b);
    const int heights[] = {found->digits[found->count - 2].height, found->digits[found->count - 1].height};
    return a == 1 && b == 1 && 10 * smaller(heights[0], heights[1]) < 8 * larger(heights[0], heights[1]);
}

/* Whether the last two images may be halves of a letter: H, K and N give two 1s. */
static bool may_be_letter(const FoundDigits *found) {
    int a, b;
    best_log_odds(found, found->count - 2, &a);
    best_log_odds(found, found->count - 1, &b);
    return a == 1 && b == 1;
}

/* Whether the last images, parts of a shape, may stay. least: log odds that each must have. */
static bool are_parts(const FoundDigits *found, int count, float least) {
    if (!gate_knows(found->spec)) return true;
    for (int64_t i = found->count - count; i < found->count; i++)
        if (!is_digit(found, i, least)) return false;
    return count != 2 || !is_upstroke(found);
}

/* Adds a reading of several parts, unless one of them is too small for a digit or has log odds below `least`.
 * cuts [count - 1][height] */
static bool add_parts(PIX *ink, int level, const PageShape *shape, const int *cuts, int count, float least,
                      FoundDigit digit, double scale, FoundDigits *found) {
    enum { MOST = 4 };
    PageShape parts[MOST];
    int made = 0;
    const int64_t before = found->count;
    const int height = shape->box.height;
    while (made < count && part_between(shape, made ? cuts + (made - 1) * height : NULL,
                                        made < count - 1 ? cuts + made * height : NULL, &parts[made]))
        made++;
    for (digit.part = 0; made == count && digit.part < count; digit.part++)
        page_read_as_one(ink, level, &parts[digit.part], digit, scale, found);
    for (int i = 0; i < made; i++)
        pixDestroy(&parts[i].mask);
    if (found->count == before + count && are_parts(found, count, least)) return true;
    found->count = before;
    return false;
}

/* The log odds that parts need: any will do for a shape that is wider than high. A narrower one seldom is
 * more than one digit, and single digits that were cut have had parts with 3. */
#define ANY       (-1000.0f)
#define OF_NARROW 4.0f

/* Readings of `count` parts: the cuts lie near equal shares of the width, each at several places for two. A
 * shape that is narrower than high is cut only through a joint and into what may well be digits. */
static void add_cut_readings(PIX *ink, int level, const PageShape *shape, int count, FoundDigit *digit,
                             double scale, FoundDigits *found) {
    const int width = shape->box.width, height = shape->box.height;
    const bool narrow = width < height;
    int *cuts = mem_new((size_t)(count * height), sizeof *cuts);
    const double shares[] = {0.5, 0.38, 0.62, 0.25, 0.75}, stroke = page_stroke_width(shape->mask);
    for (int way = 0; way < (count != 2 ? 1 : narrow ? 5 : 3); way++) {
        digit->badly_cut = false;
        for (int c = 0; c < count - 1; c++) {
            find_cut(shape->mask, (int)(width * (count == 2 ? shares[way] : (c + 1.0) / count)),
                     width / (6 * count) + 2, cuts + c * height);
            digit->badly_cut = digit->badly_cut || is_torn(shape->mask, cuts + c * height, stroke);
        }
        if (narrow && digit->badly_cut) continue;
        digit->reading++;
        if (!add_parts(ink, level, shape, cuts, count, narrow ? OF_NARROW : ANY, *digit, scale, found))
            digit->reading--;
        else if (narrow && may_be_letter(found))
            for (int i = 1; i <= count; i++)
                found->digits[found->count - i].badly_cut = true;
    }
    mem_free(cuts);
}

/* Log odds of a digit beyond doubt: pairs that touch have far lower ones. */
static const float surely_one = 8;

int64_t page_sure_digits(const FoundDigits *found) {
    int64_t sure = 0;
    for (int64_t i = 0; i < found->count && gate_knows(found->spec); i++) {
        const FoundDigit *digit = &found->digits[i];
        sure += !digit->reading && !digit->joins && is_digit(found, i, surely_one);
    }
    return sure;
}

static bool in_same_number(const FoundDigit *a, const FoundDigit *b) {
    return a->sight == b->sight && a->line == b->line && a->number == b->number;
}

/* What the gate says of an image. */
typedef struct {
    int label;
    float log_odds;
} Likely;

/* Whether most shapes of digit i's number are likely digits that together are beyond doubt. A 1 may be any
 * stroke. likely [found->count] */
static bool is_sure_number(const FoundDigits *found, const Likely *likely, int64_t i) {
    const float least = surely_one / 2;
    int shapes = 0, digits = 0;
    float together = 0;
    bool only_strokes = true;
    for (int64_t j = 0; j < found->count; j++) {
        const FoundDigit *digit = &found->digits[j];
        if (digit->reading || digit->joins || !in_same_number(digit, &found->digits[i])) continue;
        shapes++;
        if (likely[j].log_odds < least) continue;
        digits++;
        together += likely[j].log_odds;
        only_strokes = only_strokes && likely[j].label == 1;
    }
    return !only_strokes && 2 * digits > shapes && together >= surely_one;
}

void page_append_sure_numbers(const FoundDigits *from, FoundDigits *found) {
    if (!gate_knows(from->spec)) return;
    Likely *likely = mem_new((size_t)larger(from->count, 1), sizeof *likely);
    for (int64_t i = 0; i < from->count; i++)
        likely[i].log_odds = best_log_odds(from, i, &likely[i].label);
    for (int64_t i = 0; i < from->count; i++)
        if (!from->digits[i].sight && is_sure_number(from, likely, i))
            found_digits_add(found, &from->digits[i], from->images + i * image_spec_pixels(from->spec));
    mem_free(likely);
}

/* Whether the last image found isn't to be cut. Most pairs that are narrower than high have log odds below
 * this as one digit, and few single digits have. */
static bool is_one(const FoundDigits *found, bool narrow) {
    return found->count && gate_knows(found->spec) &&
           is_digit(found, found->count - 1, narrow ? 2 : surely_one);
}

void page_read_shape(PIX *ink, int level, const PageShape *shape, FoundDigit digit, double scale,
                     FoundDigits *found) {
    const int width = shape->box.width, height = shape->box.height;
    const bool narrow = width < height;
    page_read_as_one(ink, level, shape, digit, scale, found);
    if (narrow && (100 * width < 45 * height || !gate_knows(found->spec))) return;
    if (10 * width <= 18 * height && is_one(found, narrow)) return;
    if (10 * width <= 26 * height) add_cut_readings(ink, level, shape, 2, &digit, scale, found);
    if (10 * width >= 14 * height && 10 * width <= 40 * height)
        add_cut_readings(ink, level, shape, 3, &digit, scale, found);
    if (10 * width >= 21 * height) add_cut_readings(ink, level, shape, 4, &digit, scale, found);
}
