#include "data/page_rules.h"

#include "data/page_ruling.h"

#include <stdbool.h>

enum { QUARTER = 1 /* of a turn, which makes upright rules level */ };

/* Whether rules are clearly paler than the writing, of which strokes have this level. */
static bool is_pale(int rule, int writing) {
    return 3 * rule < 2 * writing;
}

/* The darkest ink that is still of pale rules. */
static int darkest_of_rule(int rule, int writing) {
    return rule + (writing - rule) / 3;
}

/* Whether a pixel on a rule's course is ink of the rule, not of a stroke that crosses it: it is about as pale
 * as the rule, and the ink above and below is, or no more of it is there than a rule is thick. writing: the
 * level of strokes' ink; rules as dark as that are told by their thickness alone. */
static bool is_of_rule(const Ruling *page, const Rule *rule, int x, int y, int writing) {
    const int ink = page_ruling_ink(page, x, y);
    const bool pale = is_pale(rule->level, writing);
    int top, bottom;
    if (pale && ink <= darkest_of_rule(rule->level, writing)) return true;
    return (!pale || 2 * ink <= 3 * rule->level) && page_rows_near(page->mask, x, y, 0, &top, &bottom) &&
           bottom - top + 1 <= rule->width + 2;
}

static void replace(PIX **mask, PIX *by) {
    pixDestroy(mask);
    *mask = by;
}

/* Removes the rules from the mask. */
static void remove_rules(Ruling *page, int writing) {
    PIX *kept = pixCopy(NULL, page->mask);
    for (int i = 0; i < page->count; i++) {
        const Rule *rule = &page->rules[i];
        int begin, end, top, bottom;
        page_rule_columns(page, rule, &begin, &end);
        for (int x = begin; x <= end; x++) {
            page_rule_rows(page, rule, x, &top, &bottom);
            for (int y = top; y <= bottom; y++)
                if (is_of_rule(page, rule, x, y, writing)) pixSetPixel(kept, x, y, 0);
        }
    }
    replace(&page->mask, kept);
}

/* The level of the strongest ink that isn't on a rule. */
static int writing_level(const Ruling *level, const Ruling *upright) {
    const Ruling *both[] = {level, upright};
    PIX *rest = pixCopy(NULL, level->mask);
    l_float32 strongest = 0;
    for (int i = 0; i < 2; i++) {
        for (int r = 0; r < both[i]->count; r++)
            page_clear_course(both[i], &both[i]->rules[r], rest);
        if (i == 0) replace(&rest, pixRotateOrth(rest, QUARTER));
    }
    const bool none = pixGetRankValueMasked(upright->ink, rest, 0, 0, 1, 0.98f, &strongest, NULL);
    pixDestroy(&rest);
    return none ? 0 : (int)strongest;
}

/* Removes level pieces of thin, pale lines. Near digits the mask has only pieces of squared paper's lines, or
 * none: they are fainter than a digit. */
static void remove_pieces(Ruling *page, int writing) {
    const int across = page->rule_width + 2, along = 2 * page_shortest_run(page);
    PIX *pale = pixThresholdToBinary(page->ink, darkest_of_rule(page->rule_level, writing) + 1);
    pixAnd(pale, pale, page->mask);
    PIX *thick = pixOpenBrick(NULL, page->mask, 1, across + 1), *thin = pixSubtract(NULL, pale, thick);
    PIX *pieces = pixOpenCompBrick(NULL, thin, along, 1);
    pixDilateBrick(pieces, pieces, 1, 3);
    pixAnd(pieces, pieces, pale);
    pixSubtract(page->mask, page->mask, pieces);
    pixDestroy(&pale);
    pixDestroy(&thick);
    pixDestroy(&thin);
    pixDestroy(&pieces);
}

static void remove_lines(Ruling *page, int writing, bool squared) {
    remove_rules(page, writing);
    if (squared && is_pale(page->rule_level, writing)) remove_pieces(page, writing);
}

/* Sets, in what has the turned page's size, all of its rules' courses. */
static void add_courses(const Ruling *page, PIX *courses) {
    PIX *off = pixCreateTemplate(courses);
    pixSetAll(off);
    for (int i = 0; i < page->count; i++)
        page_clear_course(page, &page->rules[i], off);
    pixInvert(off, off);
    pixOr(courses, courses, off);
    pixDestroy(&off);
}

/* The courses of a page's rules; NULL where it isn't ruled. */
static PIX *courses_of(const Ruling *level, const Ruling *upright) {
    if (!level->many && !upright->many) return NULL;
    PIX *courses = pixCreateTemplate(upright->mask);
    add_courses(upright, courses);
    replace(&courses, pixRotateOrth(courses, 4 - QUARTER));
    add_courses(level, courses);
    return courses;
}

PIX *page_remove_rules(PIX **mask, PIX *ink) {
    Ruling level = page_find_ruling(*mask, ink, 0), upright = page_find_ruling(*mask, ink, QUARTER);
    const int writing = writing_level(&level, &upright);
    const bool squared = level.many && upright.many;
    remove_lines(&level, writing, squared);
    replace(&upright.mask, pixRotateOrth(level.mask, QUARTER));
    remove_lines(&upright, writing, squared);
    replace(mask, pixRotateOrth(upright.mask, 4 - QUARTER));
    PIX *courses = courses_of(&level, &upright);
    page_ruling_free(&level);
    page_ruling_free(&upright);
    return courses;
}
