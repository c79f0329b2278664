#include "data/page.h"

#include "core/integers.h"
#include "data/page_glyph.h"
#include "data/page_mask.h"
#include "data/page_parts.h"

#include <math.h>

enum {
    MAX_WORK_PIXELS = 4000000, /* larger pages are scaled down */
    MIN_WORK_SIDE = 160        /* smaller ones up */
};

/* A page in one of the two ways to see it: its ink darker than its paper, or lighter. */
typedef struct {
    PIX *ink;
    int level; /* the paper's */
    PageShapes shapes;
    double score; /* how much looks like writing */
} Sight;

static void sight_free(Sight *sight) {
    pixDestroy(&sight->ink);
    page_shapes_free(&sight->shapes);
}

/* The strongest of the channels' inks: coloured ink shows in one of them. */
static PIX *ink_of(PIX *page, int window, bool dark) {
    static const int channels[] = {COLOR_RED, COLOR_GREEN, COLOR_BLUE};
    PIX *strongest = NULL;
    for (int c = 0; c < (pixGetDepth(page) == 32 ? 3 : 1); c++) {
        PIX *grey = pixGetDepth(page) == 32 ? pixGetRGBComponent(page, channels[c]) : pixCopy(NULL, page);
        if (!dark) pixInvert(grey, grey);
        PIX *ink = page_ink(grey, window, dark);
        pixDestroy(&grey);
        if (!strongest) {
            strongest = ink;
            continue;
        }
        pixMinOrMax(strongest, strongest, ink, L_CHOOSE_MAX);
        pixDestroy(&ink);
    }
    return strongest;
}

static int paper_level(PIX *ink) {
    l_uint32 level = 0;
    pixGetRankValue(ink, 1, 0.5f, &level);
    return (int)level;
}

/* How much a shape looks like writing: how many times longer its strokes are than wide, times their ink. The
 * gaps between strokes, which are seen when paper and ink are taken for each other, are wide. */
static double writing_in(PIX *ink, const PageShape *shape) {
    const double most = 20, width = page_stroke_width(shape->mask);
    l_float32 mean = 0;
    pixGetAverageMasked(ink, shape->mask, shape->box.x, shape->box.y, 1, L_MEAN_ABSVAL, &mean);
    return width > 0 ? mean * fmin(most, shape->area / (width * width)) : 0;
}

/* The widest strokes of the shapes. */
static double stroke_width(const PageShapes *shapes) {
    double widest = 0;
    for (int i = 0; i < shapes->count; i++)
        widest = fmax(widest, page_stroke_width(shapes->shapes[i].mask));
    return widest;
}

static Sight see(PIX *page, int window, int reach, bool dark) {
    Sight sight = {.ink = ink_of(page, window, dark)};
    sight.level = paper_level(sight.ink);
    PIX *mask = page_threshold(sight.ink, reach);
    page_remove_lines(&mask);
    sight.shapes = page_find_shapes(mask);
    for (int i = 0; i < sight.shapes.count; i++)
        sight.score += writing_in(sight.ink, &sight.shapes.shapes[i]);
    pixDestroy(&mask);
    return sight;
}

/* Where strokes are far narrower than at first assumed, the light is followed more closely. */
static void look_closer(PIX *page, int window, bool dark, Sight *sight) {
    const int closer = (int)larger(15, lround(6 * stroke_width(&sight->shapes)));
    if (!sight->shapes.count || 2 * closer > window) return;
    Sight near = see(page, closer, closer / 2, dark);
    sight_free(sight);
    *sight = near;
}

/* Scales to a size that one can work with; *scale: from the result's pixels to the page's. */
static PIX *scale_to_work(PIX *page, double *scale) {
    const double width = pixGetWidth(page), height = pixGetHeight(page), side = fmax(width, height);
    double factor = 1;
    if (width * height > MAX_WORK_PIXELS) factor = sqrt(MAX_WORK_PIXELS / (width * height));
    if (side < MIN_WORK_SIDE) factor = fmin(8, ceil(MIN_WORK_SIDE / side));
    *scale = 1 / factor;
    if (factor == 1) return pixClone(page);
    return pixScaleGeneral(page, (l_float32)fmax(factor, 1 / width), (l_float32)fmax(factor, 1 / height), 0,
                           0);
}

/* Whether most of a page is nearer to its light than to its dark end. */
static bool is_mostly_light(PIX *page) {
    PIX *grey = pixGetDepth(page) == 32 ? pixConvertRGBToLuminance(page) : pixClone(page);
    l_uint32 low = 0, middle = 0, high = 0;
    pixGetRankValue(grey, 1, 0.02f, &low);
    pixGetRankValue(grey, 1, 0.5f, &middle);
    pixGetRankValue(grey, 1, 0.98f, &high);
    pixDestroy(&grey);
    return 2 * middle >= low + high;
}

static void read_shapes(Sight *sight, int number, double scale, FoundDigits *found) {
    page_order_shapes(&sight->shapes);
    for (int i = 0; i < sight->shapes.count; i++) {
        const PageShape *shape = &sight->shapes.shapes[i];
        const FoundDigit digit = {.sight = number, .line = shape->line, .number = shape->number, .shape = i};
        page_read_shape(sight->ink, sight->level, shape, digit, scale, found);
    }
}

/* The likelier way to see the page comes first; the other one too where it isn't far behind. */
void page_find_digits(PIX *page, FoundDigits *found) {
    const double far = 4;
    double scale;
    PIX *work = scale_to_work(page, &scale);
    if (!work) return;
    const int window = (int)larger(15, larger(pixGetWidth(work), pixGetHeight(work)) / 4);
    const bool dark_first = is_mostly_light(work);
    Sight sights[2];
    for (int s = 0; s < 2; s++) {
        const bool dark = dark_first == (s == 0);
        sights[s] = see(work, window, window / 4, dark);
        look_closer(work, window, dark, &sights[s]);
    }
    for (int s = 0; s < 2; s++)
        if (s == 0 || far * sights[1].score >= sights[0].score) read_shapes(&sights[s], s, scale, found);
    sight_free(&sights[0]);
    sight_free(&sights[1]);
    pixDestroy(&work);
}
