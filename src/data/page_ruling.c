#include "data/page_ruling.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/status.h"
#include "data/page_fit.h"
#include "data/page_mask.h"

#include <math.h>
#include <stdbool.h>

enum { MOST_LEVEL = 255 };

int page_ruling_ink(const Ruling *page, int x, int y) {
    const int row = (int)larger(0, smaller(y, page->height - 1));
    return GET_DATA_BYTE(pixGetData(page->ink) + (int64_t)row * pixGetWpl(page->ink), x);
}

/* Pixels that a rule may be wide. */
static int thickest_rule(const Ruling *page) {
    return (int)larger(3, smaller(page->height, 4 * page->width) / 60);
}

int page_shortest_run(const Ruling *page) {
    return (int)larger(10, page->width / 80);
}

/* Level pieces of what is at most as high as a rule may be. */
static PIX *thin_runs(const Ruling *page) {
    PIX *thick = pixOpenBrick(NULL, page->mask, 1, thickest_rule(page) + 2);
    PIX *thin = pixSubtract(NULL, page->mask, thick);
    PIX *runs = pixOpenCompBrick(NULL, thin, page_shortest_run(page), 1);
    pixDestroy(&thick);
    pixDestroy(&thin);
    return runs;
}

bool page_rows_near(PIX *mask, int x, double row, double reach, int *top, int *bottom) {
    for (int away = 0; away <= reach; away++)
        for (int side = -1; side <= 1; side += 2) {
            const int y = (int)lround(row) + side * away;
            if (!page_is_inked(mask, x, y)) continue;
            for (*top = y; page_is_inked(mask, x, *top - 1);)
                --*top;
            for (*bottom = y; page_is_inked(mask, x, *bottom + 1);)
                ++*bottom;
            return true;
        }
    return false;
}

/* Whether ink may be of a rule of that level. */
static bool is_as_pale(int ink, int level) {
    return 2 * ink <= 3 * level + 16;
}

/* Whether ink in a column, from row top to bottom, is as thin and as pale as a rule. */
static bool looks_like(const Ruling *page, const Rule *rule, int x, int top, int bottom) {
    return bottom - top + 1 <= rule->width + larger(1, rule->width / 4) &&
           is_as_pale(page_ruling_ink(page, x, (top + bottom) / 2), rule->level);
}

/* What is known of a rule near one of its ends as a straight line. step: 1: at the right end; -1: at the left
 * one. */
static PageLine course_at_end(const Ruling *page, const Rule *rule, int step) {
    const int end = step > 0 ? rule->end : rule->begin;
    const int count = (int)smaller(rule->end - rule->begin + 1, larger(page->width / 8, 1));
    PageFit fit = {0};
    for (int i = 0; i < count; i++)
        page_fit_add(&fit, end - step * i, rule->middle[end - step * i]);
    PageLine course = page_fit_line(&fit);
    if (count < page_shortest_run(page)) course.slope = 0;
    return course;
}

/* Columns over which a rule may be hidden: the less of it is known, the fewer. */
static int longest_gap(const Ruling *page, const Rule *rule) {
    return (int)larger(page_shortest_run(page), smaller(4 * rule->seen, page->width / 3));
}

/* Follows a rule up to column `until`, or where it is seen last. After a gap it may be off its course the
 * more the wider that is. */
static void follow(const Ruling *page, Rule *rule, int step, int until) {
    const double off = 1.5, off_per_column = 0.03;
    int last = step > 0 ? rule->end : rule->begin;
    PageLine course = {0};
    for (int x = last + step; step * (until - x) >= 0; x += step) {
        const int gap = abs(x - last);
        if (gap > longest_gap(page, rule)) break;
        if (gap == 2) course = course_at_end(page, rule, step);
        const double row = gap == 1 ? rule->middle[last] : page_line_at(&course, x),
                     reach = off + off_per_column * gap;
        int top, bottom;
        if (!page_rows_near(page->runs, x, row, reach, &top, &bottom)) continue;
        if (!looks_like(page, rule, x, top, bottom)) continue;
        const double found = fmax(row - reach, fmin(row + reach, (top + bottom) / 2.0));
        for (int i = 1; i <= gap; i++)
            rule->middle[last + step * i] =
                (float)(rule->middle[last] + (found - rule->middle[last]) * i / gap);
        last = x;
        *(step > 0 ? &rule->end : &rule->begin) = x;
        rule->seen++;
    }
}

static int median(int *values, int count) {
    sort_ints(values, (size_t)count);
    return count ? values[count / 2] : 0;
}

/* Learns a rule's width and the level of its ink where it is seen. */
static void measure(const Ruling *page, Rule *rule) {
    const int length = rule->end - rule->begin + 1;
    int *widths = mem_new((size_t)length, sizeof *widths), *levels = mem_new((size_t)length, sizeof *levels);
    int count = 0, top, bottom;
    for (int x = rule->begin; x <= rule->end; x++) {
        if (!page_rows_near(page->runs, x, rule->middle[x], 1, &top, &bottom)) continue;
        widths[count] = bottom - top + 1;
        levels[count++] = page_ruling_ink(page, x, (top + bottom) / 2);
    }
    rule->width = median(widths, count);
    rule->level = median(levels, count);
    mem_free(widths);
    mem_free(levels);
}

/* The rule of which a piece is a part; none, of no column, where the piece is of one that is known. */
static Rule rule_from(const Ruling *page, BOX *piece) {
    l_int32 left, upper, width, height;
    boxGetGeometry(piece, &left, &upper, &width, &height);
    const int x = left + width / 2;
    int top, bottom;
    if (!page_rows_near(page->runs, x, upper + (height - 1) / 2.0, height / 2.0 + 1, &top, &bottom))
        return (Rule){.begin = x, .end = x - 1};
    Rule rule = {.begin = x, .end = x, .seen = 1, .width = page->height, .level = MOST_LEVEL};
    rule.middle = mem_new((size_t)page->width, sizeof *rule.middle);
    rule.middle[x] = (float)(top + bottom) / 2;
    follow(page, &rule, 1, left + width - 1);
    follow(page, &rule, -1, left);
    measure(page, &rule);
    follow(page, &rule, 1, page->width - 1);
    follow(page, &rule, -1, 0);
    measure(page, &rule);
    return rule;
}

/* How far from the page's sides a rule may seem to end: on squared paper that is where the last line crosses
 * it. */
static int last_crossing(const Rule *line, const Ruling *page) {
    return (int)larger(page_shortest_run(page) + line->width + 1, page->width / 50);
}

/* A line that runs to the edge of the page over much of it, is thin, and isn't the edge itself. many: the
 * page is ruled. */
static bool runs_to_edge(const Rule *line, const Ruling *page, bool many) {
    const int length = line->end - line->begin + 1, least = page->width / (many ? 12 : 4);
    const int near = many ? last_crossing(line, page) : (int)larger(2, page->width / 50);
    if (length < least || line->width > thickest_rule(page) || 5 * line->seen < 2 * length) return false;
    const double left = line->middle[line->begin], right = line->middle[line->end];
    const bool at_edge = line->begin <= near || line->end >= page->width - 1 - near;
    const bool is_edge = fmin(left, right) <= line->width || fmax(left, right) >= page->height - line->width;
    return at_edge && (!is_edge || many) && 8 * fabs(left - right) <= length;
}

/* A thin line over half of the page. On a ruled one it is a rule, also where it ends before the page does, as
 * at the edge of a sheet in a photograph. */
static bool is_long(const Rule *line, const Ruling *page) {
    const int length = line->end - line->begin + 1;
    return 2 * length >= page->width && line->width <= thickest_rule(page) && 5 * line->seen >= 2 * length &&
           8 * fabs((double)line->middle[line->begin] - (double)line->middle[line->end]) <= length;
}

static bool is_rule(const Rule *line, const Ruling *page) {
    return runs_to_edge(line, page, page->many) || (page->many && is_long(line, page));
}

static bool spans_page(const Rule *line, const Ruling *page) {
    const int near = last_crossing(line, page);
    return line->begin <= near && line->end >= page->width - 1 - near;
}

void page_rule_columns(const Ruling *page, const Rule *rule, int *begin, int *end) {
    const int beyond = page->many ? page_shortest_run(page) + 1 : 0;
    *begin = (int)larger(0, rule->begin - beyond);
    *end = (int)smaller(page->width - 1, rule->end + beyond);
}

void page_rule_rows(const Ruling *page, const Rule *rule, int x, int *top, int *bottom) {
    const double half = rule->width / 2.0 + 0.5;
    double row;
    if (x >= rule->begin && x <= rule->end)
        row = rule->middle[x];
    else {
        const PageLine course = course_at_end(page, rule, x < rule->begin ? -1 : 1);
        row = page_line_at(&course, x);
    }
    *top = (int)larger(0, (int)floor(row - half));
    *bottom = (int)smaller(page->height - 1, (int)ceil(row + half));
}

static void clear(PIX *mask, int x, int y) {
    CLEAR_DATA_BIT(pixGetData(mask) + (int64_t)y * pixGetWpl(mask), x);
}

void page_clear_course(const Ruling *page, const Rule *rule, PIX *mask) {
    int begin, end, top, bottom;
    page_rule_columns(page, rule, &begin, &end);
    for (int x = begin; x <= end; x++) {
        page_rule_rows(page, rule, x, &top, &bottom);
        for (int y = top; y <= bottom; y++)
            clear(mask, x, y);
    }
}

static void add_rule(Ruling *page, const Rule *rule) {
    Rule *longer = mem_new((size_t)page->count + 1, sizeof *longer);
    for (int i = 0; i < page->count; i++)
        longer[i] = page->rules[i];
    longer[page->count++] = *rule;
    mem_free(page->rules);
    page->rules = longer;
}

/* Leaves of the lines those for which `is` holds. */
static void keep(Ruling *page, bool (*is)(const Rule *, const Ruling *)) {
    int kept = 0;
    for (int i = 0; i < page->count; i++)
        if (is(&page->rules[i], page))
            page->rules[kept++] = page->rules[i];
        else
            mem_free(page->rules[i].middle);
    page->count = kept;
}

/* Learns what most of the rules are like. */
static void compare_rules(Ruling *page) {
    const size_t count = (size_t)page->count;
    int *widths = mem_new(count, sizeof *widths), *levels = mem_new(count, sizeof *levels);
    for (int i = 0; i < page->count; i++) {
        widths[i] = page->rules[i].width;
        levels[i] = page->rules[i].level;
    }
    page->rule_width = median(widths, page->count);
    page->rule_level = median(levels, page->count);
    mem_free(widths);
    mem_free(levels);
}

/* Whether a line isn't strokes of digits in a row, which are thicker or darker than most rules. */
static bool is_like_others(const Rule *line, const Ruling *page) {
    return !page->many ||
           (line->width <= 2 * page->rule_width + 1 && is_as_pale(line->level, page->rule_level));
}

static bool may_be_rule(const Rule *line, const Ruling *page) {
    return runs_to_edge(line, page, true);
}

/* Adds the lines of the pieces for which `is` holds; how many of them are whole. */
static int add_lines(Ruling *page, BOXA *pieces, bool (*is)(const Rule *, const Ruling *)) {
    int whole = 0;
    for (int i = 0; i < boxaGetCount(pieces); i++) {
        BOX *piece = boxaGetBox(pieces, i, L_CLONE);
        Rule rule = rule_from(page, piece);
        boxDestroy(&piece);
        if (!rule.middle) continue;
        if (is(&rule, page)) {
            whole += runs_to_edge(&rule, page, false) || spans_page(&rule, page);
            page_clear_course(page, &rule, page->runs);
            add_rule(page, &rule);
        } else
            mem_free(rule.middle);
    }
    return whole;
}

/* Finds the rules, from long pieces to short ones. */
static void find_rules(Ruling *page) {
    const int several = 3;
    page->runs = thin_runs(page);
    BOXA *boxes = pixConnCompBB(page->runs, 8),
         *pieces = boxaSort(boxes, L_SORT_BY_WIDTH, L_SORT_DECREASING, NULL);
    page->many = add_lines(page, pieces, may_be_rule) >= several;
    if (page->many) add_lines(page, pieces, is_long);
    keep(page, is_rule);
    compare_rules(page);
    keep(page, is_like_others);
    boxaDestroy(&boxes);
    boxaDestroy(&pieces);
}

Ruling page_find_ruling(PIX *mask, PIX *ink, int quarters) {
    Ruling page = {.mask = pixRotateOrth(mask, quarters), .ink = pixRotateOrth(ink, quarters)};
    if (!page.mask || !page.ink) fatal("out of memory for a ruled page; read smaller pictures");
    page.width = pixGetWidth(page.mask);
    page.height = pixGetHeight(page.mask);
    find_rules(&page);
    return page;
}

void page_ruling_free(Ruling *page) {
    for (int i = 0; i < page->count; i++)
        mem_free(page->rules[i].middle);
    mem_free(page->rules);
    pixDestroy(&page->mask);
    pixDestroy(&page->ink);
    pixDestroy(&page->runs);
}
