#include "data/page.h"

#include "core/integers.h"
#include "data/page_crop.h"
#include "data/page_faint.h"
#include "data/page_flat.h"
#include "data/page_glyph.h"
#include "data/page_join.h"
#include "data/page_order.h"
#include "data/page_parts.h"
#include "data/page_reverse.h"
#include "data/page_sheet.h"
#include "data/page_sight.h"
#include "data/page_skew.h"
#include "data/picture.h"

#include <math.h>
#include <string.h>

enum {
    MAX_WORK_PIXELS = 4000000, /* larger pages are scaled down */
    FIRST_LOOK_PIXELS = MAX_WORK_PIXELS / 2,
    MIN_WORK_SIDE = 160 /* smaller ones up */
};

/* Scales to a size that one can work with; *scale: from the result's pixels to the page's. */
static PIX *scale_to_work(PIX *page, int most_pixels, double *scale) {
    const double width = pixGetWidth(page), height = pixGetHeight(page), side = fmax(width, height);
    double factor = 1;
    if (width * height > most_pixels) factor = sqrt(most_pixels / (width * height));
    if (side < MIN_WORK_SIDE) factor = fmin(8, ceil(MIN_WORK_SIDE / side));
    *scale = 1 / factor;
    if (factor == 1) return pixClone(page);
    return pixScaleGeneral(page, (l_float32)fmax(factor, 1 / width), (l_float32)fmax(factor, 1 / height), 0,
                           0);
}

/* Whether a page departs downwards from its light within a window more than upwards, which the third power
 * brings out. */
static bool is_dark_on_light(PIX *page, int window) {
    const int reach = (int)smaller(window / 2, (smaller(pixGetWidth(page), pixGetHeight(page)) - 1) / 2);
    PIX *mean = reach > 0 ? pixBlockconvGray(page, NULL, reach, reach) : pixClone(page);
    double departure = 0;
    for (int y = 0; y < pixGetHeight(page); y++) {
        const l_uint32 *line = pixGetData(page) + (int64_t)y * pixGetWpl(page);
        const l_uint32 *around = pixGetData(mean) + (int64_t)y * pixGetWpl(mean);
        for (int x = 0; x < pixGetWidth(page); x++) {
            const double own = GET_DATA_BYTE(line, x) - GET_DATA_BYTE(around, x);
            departure += own * own * own;
        }
    }
    pixDestroy(&mean);
    return departure <= 0;
}

static bool is_at_edge(PIX *page, const PageRect *box) {
    return box->x <= 2 || box->y <= 2 || box->x + box->width >= pixGetWidth(page) - 2 ||
           box->y + box->height >= pixGetHeight(page) - 2;
}

/* The two ways to see a page see edges a little differently. */
enum { NEAR = 2 /* pixels */ };

/* Whether a box lies inside that of a shape. */
static bool is_within(const PageRect *box, const PageShapes *shapes) {
    for (int i = 0; i < shapes->count; i++)
        if (page_is_inside(box, &shapes->shapes[i].box, NEAR)) return true;
    return false;
}

/* Whether both ways see the same strokes, in one of them on a patch: then the first way has all there is, and
 * the second one what is left of it. */
static bool see_the_same(const PageShapes *first, const PageShapes *second) {
    for (int i = 0; i < first->count; i++)
        for (int j = 0; j < second->count; j++) {
            const PageShape *a = &first->shapes[i], *b = &second->shapes[j];
            if (a->reversed != b->reversed && page_is_inside(&a->box, &b->box, NEAR) &&
                page_is_inside(&b->box, &a->box, NEAR))
                return true;
        }
    return false;
}

/* Whether a shape isn't ink in the less likely way to see a page: what it has at the page's edge is the rest
 * of its ground, and what it has within a shape of the likelier one is the paper between strokes. */
static bool is_paper(const PageSight *sights, int number, const PageRect *box) {
    return number > 0 && (is_at_edge(sights[number].ink, box) || is_within(box, &sights[0].shapes));
}

/* Where shape i of a sight is, by itself. */
static FoundDigit place_of(const PageSight *sights, int number, int i) {
    const PageShape *shape = &sights[number].shapes.shapes[i];
    return (FoundDigit){.sight = number,
                        .line = shape->line,
                        .number = shape->number,
                        .word = shape->word,
                        .strange = shape->strange,
                        .shape = i,
                        .small = shape->small,
                        .faint = shape->faint,
                        .struck = shape->struck,
                        .dotted = shape->dotted,
                        .stain = shape->stain,
                        .goes_on = shape->goes_on,
                        .in_next_cell = shape->in_next_cell};
}

/* Adds the readings of several shapes as one. */
static void read_joins(const PageSight *sights, int number, double scale, FoundDigits *found) {
    const PageSight *sight = &sights[number];
    PageJoins joins = page_find_joins(&sight->shapes, &sight->pieces);
    for (int i = 0; i < joins.count; i++) {
        const PageJoin *join = &joins.joins[i];
        FoundDigit digit = place_of(sights, number, join->shapes[0]);
        if (is_paper(sights, number, &join->whole.box)) continue;
        digit.joins = join->count;
        memcpy(digit.joined, join->shapes, sizeof digit.joined);
        page_read_as_one(sight->ink, sight->level, &join->whole, digit, scale, found);
    }
    page_joins_free(&joins);
}

/* sights [2]; number: which one is read. */
static void read_shapes(PageSight *sights, int number, double scale, FoundDigits *found) {
    PageSight *sight = &sights[number];
    page_add_faint(sight->ink, sight->level, found->spec, &sight->shapes, &sight->faint);
    page_order_shapes(&sight->shapes, &sight->pieces, &sight->cells);
    for (int i = 0; i < sight->shapes.count; i++) {
        const PageShape *shape = &sight->shapes.shapes[i];
        if (is_paper(sights, number, &shape->box)) continue;
        const FoundDigit place = place_of(sights, number, i);
        if (shape->reversed)
            page_read_shape(sight->reversed_ink, page_reversed_level(sight->reversed_ink, shape), shape,
                            place, scale, found);
        else
            page_read_shape(sight->ink, sight->level, shape, place, scale, found);
    }
    read_joins(sights, number, scale, found);
}

/* A page in both ways, the likelier one first. A large patch of ink may count as paper; so the second way
 * goes first if more looks like writing in it, and with its digits on patches far more than without them, and
 * far more than all in the first way. */
static void see_both_ways(const PageWork *work, bool dark_first, PageSight sights[2]) {
    const double far_more = 1.5;
    double on_patches[2];
    for (int s = 0; s < 2; s++) {
        sights[s] = page_look(work, dark_first == (s == 0));
        on_patches[s] = page_sight_add_reversed(&sights[s]);
    }
    const double first_score = sights[0].score, second_score = sights[1].score,
                 all_first = first_score + on_patches[0], all_second = second_score + on_patches[1];
    if (second_score <= first_score || all_second <= far_more * second_score ||
        all_second <= far_more * all_first)
        return;
    const PageSight first = sights[0];
    sights[0] = sights[1];
    sights[1] = first;
}

/* The likelier way to see it comes first; the other one too where it looks as much like writing. outside [as
 * page]: 1 where there can't be ink; may be NULL. */
static void find_digits(PIX *page, PIX *outside, FoundDigits *found) {
    const double near = 0.8;
    const int64_t before = found->count;
    double scale;
    PageWork work = {.page = scale_to_work(page, MAX_WORK_PIXELS, &scale)};
    if (!work.page) return;
    const int width = pixGetWidth(work.page), height = pixGetHeight(work.page);
    work.window = (int)larger(15, smaller(larger(width, height) / 2, smaller(width, height)));
    if (outside) work.outside = pixScaleToSize(outside, width, height);
    const bool dark_first = is_dark_on_light(work.page, work.window);
    const double skew = page_find_skew(work.page, dark_first);
    if (skew != 0) page_turn(&work.page, &work.outside, skew);
    PageSight sights[2];
    see_both_ways(&work, dark_first, sights);
    const bool same = see_the_same(&sights[0].shapes, &sights[1].shapes);
    found->crowded = found->crowded || sights[0].shapes.crowded;
    read_shapes(sights, 0, scale, found);
    if (!same && (!sights[0].shapes.count || sights[1].score >= near * sights[0].score))
        read_shapes(sights, 1, scale, found);
    if (skew != 0) page_turn_back(found, before, pixGetWidth(page), pixGetHeight(page), skew);
    page_sight_free(&sights[0]);
    page_sight_free(&sights[1]);
    pixDestroy(&work.page);
    pixDestroy(&work.outside);
}

/* Moves the places of what was found since the first `before` digits were, and makes them `scale` times as
 * large; they end where the page does. */
static void move_found(FoundDigits *found, int64_t before, int x, int y, double scale, PIX *page) {
    for (int64_t i = before; i < found->count; i++) {
        FoundDigit *digit = &found->digits[i];
        const int64_t left = lround((digit->x + x) * scale),
                      right = lround((digit->x + x + digit->width) * scale),
                      top = lround((digit->y + y) * scale),
                      bottom = lround((digit->y + y + digit->height) * scale);
        digit->x = (int)larger(left, 0);
        digit->y = (int)larger(top, 0);
        digit->width = (int)larger(1, smaller(right, pixGetWidth(page)) - digit->x);
        digit->height = (int)larger(1, smaller(bottom, pixGetHeight(page)) - digit->y);
    }
}

/* Whether the page has a digit or a few that were cut out along their outline; then those are found. */
static bool find_cut_out(PIX *page, FoundDigits *found) {
    const int64_t before = found->count, pixels = (int64_t)pixGetWidth(page) * pixGetHeight(page);
    double scale = 1;
    int margin;
    PIX *small = pixels > MAX_WORK_PIXELS ? scale_to_work(page, MAX_WORK_PIXELS, &scale) : pixClone(page);
    PIX *wider = small ? page_with_margin(small, &margin) : NULL;
    const bool cut_out = wider != NULL;
    if (cut_out) {
        find_digits(wider, NULL, found);
        move_found(found, before, -margin, -margin, scale, page);
    }
    pixDestroy(&wider);
    pixDestroy(&small);
    return cut_out;
}

/* Puts what was found since the first `before` digits were on a sheet of its own, below the others. *lines:
 * that they had so far. */
static void put_on_sheet(FoundDigits *found, int64_t before, int sheet, int *lines) {
    const int lines_before = *lines;
    for (int64_t i = before; i < found->count; i++) {
        FoundDigit *digit = &found->digits[i];
        digit->sheet = sheet;
        digit->line += lines_before;
        *lines = (int)larger(*lines, digit->line + 1);
    }
}

/* Finds the digits of one sheet of the page. *lines: that its sheets had so far. */
static void find_digits_on_sheet(PIX *page, const PageSheets *sheets, int s, int *lines, FoundDigits *found) {
    const int64_t before = found->count;
    const PageRect *box = &sheets->boxes[s];
    BOX *part = boxCreate(box->x, box->y, box->width, box->height);
    PIX *cut = pixClipRectangle(page, part, NULL), *outside = pixInvert(NULL, sheets->masks[s]);
    if (cut && outside) {
        PageFlat flat = page_flatten(cut, outside);
        find_digits(flat.page, flat.outside, found);
        page_flat_back(&flat, found, before);
        page_flat_free(&flat);
    }
    move_found(found, before, box->x, box->y, 1, page);
    put_on_sheet(found, before, s, lines);
    pixDestroy(&outside);
    pixDestroy(&cut);
    boxDestroy(&part);
}

/* Finds what clearly is writing on the ground that small sheets lie on, as on a parcel beside its label.
 * lines: that the sheets have. */
static void find_digits_beside_sheets(PIX *page, const PageSheets *sheets, int lines, FoundDigits *found) {
    const int64_t before = found->count;
    FoundDigits beside = {.spec = found->spec};
    PIX *outside = NULL, *ground = page_without_sheets(page, sheets, &outside);
    if (ground) find_digits(ground, outside, &beside);
    page_append_sure_numbers(&beside, found);
    put_on_sheet(found, before, sheets->count, &lines);
    found_digits_free(&beside);
    pixDestroy(&ground);
    pixDestroy(&outside);
}

/* Whether a sheet reaches to all sides of the page, as that of a crooked scan. */
static bool fills_page(const PageSheets *sheets, PIX *page) {
    for (int s = 0; s < sheets->count; s++)
        if (10 * sheets->boxes[s].width >= 9 * pixGetWidth(page) &&
            10 * sheets->boxes[s].height >= 9 * pixGetHeight(page))
            return true;
    return false;
}

/* Returns how many lines there are. */
static int find_digits_on_sheets(PIX *page, const PageSheets *sheets, FoundDigits *found) {
    int lines = 0;
    for (int s = 0; s < sheets->count; s++)
        find_digits_on_sheet(page, sheets, s, &lines, found);
    return lines;
}

/* Whether far more is sure to be a digit on the page than on its sheets: then these are patches of light on
 * one sheet. Fewer pixels tell. */
static bool is_lit_in_patches(PIX *page, const FoundDigits *on_sheets) {
    FoundDigits on_page = {.spec = on_sheets->spec};
    double scale;
    PIX *small = scale_to_work(page, FIRST_LOOK_PIXELS, &scale);
    if (small) find_digits(small, NULL, &on_page);
    const int64_t sure = page_sure_digits(on_sheets);
    const bool more = page_sure_digits(&on_page) > sure + 1 + sure / 10;
    found_digits_free(&on_page);
    pixDestroy(&small);
    return more;
}

static void find_digits_on_sheets_or_page(PIX *page, const PageSheets *sheets, FoundDigits *found) {
    FoundDigits on_sheets = {.spec = found->spec};
    const int lines = find_digits_on_sheets(page, sheets, &on_sheets);
    if (is_lit_in_patches(page, &on_sheets))
        find_digits(page, NULL, found);
    else {
        found_digits_append(found, &on_sheets);
        find_digits_beside_sheets(page, sheets, lines, found);
    }
    found_digits_free(&on_sheets);
}

/* Notes which edges of the page the digits touch that were found since the first `before` were. */
static void note_edges(FoundDigits *found, int64_t before, PIX *page) {
    const int width = pixGetWidth(page), height = pixGetHeight(page),
              near = (int)larger(2, larger(width, height) / 400); /* a large page was scaled */
    for (int64_t i = before; i < found->count; i++) {
        FoundDigit *digit = &found->digits[i];
        digit->edges = (digit->y < near ? FOUND_TOP : 0) | (digit->x < near ? FOUND_LEFT : 0) |
                       (digit->y + digit->height > height - near ? FOUND_BOTTOM : 0) |
                       (digit->x + digit->width > width - near ? FOUND_RIGHT : 0);
    }
}

/* A crooked scan's sheet comes first: it looks like a digit that was cut out. */
void page_find_digits(PIX *page, FoundDigits *found) {
    const int64_t before = found->count;
    PIX *grey = picture_grey(page);
    PageSheets sheets = page_find_sheets(grey);
    const bool scan = fills_page(&sheets, grey);
    if (scan) find_digits_on_sheets(grey, &sheets, found);
    if (found->count == before && !find_cut_out(grey, found)) {
        if (!sheets.count)
            find_digits(grey, NULL, found);
        else if (!scan)
            find_digits_on_sheets_or_page(grey, &sheets, found);
    }
    note_edges(found, before, grey);
    page_sheets_free(&sheets);
    pixDestroy(&grey);
}
