#include "data/page_faint.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/page_edge.h"
#include "data/page_glyph.h"
#include "data/page_shapes.h"

#include <string.h>

PageShapes page_find_faint(PIX *page, PIX *ink, bool dark, PIX *mask) {
    PageShapes faint = {0}, pieces = {0};
    if (!mask) return faint;
    faint = page_find_shapes(mask, &pieces);
    page_drop_without_edge(page, ink, dark, &faint);
    page_shapes_free(&pieces);
    return faint;
}

/* Whether two shapes may be neighbours in a number. */
static bool are_beside(const PageRect *a, const PageRect *b) {
    const int low = (int)smaller(a->height, b->height), high = (int)larger(a->height, b->height);
    return 2 * high <= 3 * low && page_gap_x(a, b) <= high && 2 * -page_gap_y(a, b) >= low;
}

/* Whether a shape is a digit that has another one beside it. Strokes alone aren't: remains of rules look like
 * 1s. digits: what each shape is; -1 for none. */
static bool is_in_number(const PageShapes *shapes, const int *digits, int i) {
    for (int j = 0; j < shapes->count && digits[i] >= 0; j++)
        if (j != i && digits[j] >= 0 && (digits[i] != 1 || digits[j] != 1) &&
            are_beside(&shapes->shapes[i].box, &shapes->shapes[j].box))
            return true;
    return false;
}

/* Appends the shapes that are digits of numbers, and empties the list of them. */
static void move_numbers(PageShapes *faint, const int *digits, PageShapes *shapes) {
    PageShape *all = mem_new((size_t)(shapes->count + faint->count), sizeof *all);
    int count = shapes->count;
    memcpy(all, shapes->shapes, (size_t)count * sizeof *all);
    for (int i = 0; i < faint->count; i++) {
        PageShape *shape = &faint->shapes[i];
        shape->faint = true;
        shape->small = false; /* small print would be left out again */
        if (is_in_number(faint, digits, i))
            all[count++] = *shape;
        else
            pixDestroy(&shape->mask);
    }
    mem_free(shapes->shapes);
    shapes->shapes = all;
    shapes->count = count;
    faint->count = 0;
}

void page_add_faint(PIX *ink, int level, ImageSpec spec, PageShapes *shapes, PageShapes *faint) {
    enum { MOST = 200 /* more are a pattern on the paper */ };
    const float likely = 2; /* log odds: what is cut or joined mostly has less */
    if (!shapes->count || !faint->count || faint->count > MOST) return;
    int *digits = mem_new((size_t)faint->count, sizeof *digits);
    for (int i = 0; i < faint->count; i++)
        digits[i] = page_likely_digit(ink, level, &faint->shapes[i], spec, likely);
    move_numbers(faint, digits, shapes);
    mem_free(digits);
}
