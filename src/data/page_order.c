#include "data/page_order.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/page_grid.h"

#include <stdbool.h>
#include <stdlib.h>

static int compare_lefts(const void *a, const void *b) {
    return ((const PageShape *)a)->box.x - ((const PageShape *)b)->box.x;
}

static int compare_lines(const void *a, const void *b) {
    const PageShape *left = a, *right = b;
    return left->line != right->line ? left->line - right->line : left->box.x - right->box.x;
}

/* Whether shapes overlap by half in height; small writing isn't in line with what is far larger. */
static bool are_in_line(const PageShape *a, const PageShape *b) {
    const int low = (int)smaller(a->box.height, b->box.height),
              high = (int)larger(a->box.height, b->box.height);
    if (a->small != b->small && 10 * high > 26 * low) return false;
    return 2 * -page_gap_y(&a->box, &b->box) >= low;
}

/* Whether shape a, right beside the larger b, reaches from above it to no more than its middle. */
static bool is_exponent(const PageShape *a, const PageShape *b) {
    const int from_top = a->box.y + a->box.height - b->box.y;
    return a->small == b->small && 4 * a->box.height <= 3 * b->box.height && a->box.y < b->box.y &&
           from_top > 0 && 2 * from_top <= b->box.height && page_gap_x(&a->box, &b->box) <= a->box.height;
}

/* Whether shape a stands close to b and isn't much higher. */
static bool follows(const PageShape *a, const PageShape *b) {
    return 3 * a->box.height <= 4 * b->box.height && page_gap_x(&a->box, &b->box) <= a->box.height;
}

/* Finds the line to which a shape belongs: that of the nearest earlier shape to its left that it is in line
 * with or an exponent of; -1: none. lefts: by their left sides. */
static void find_line(PageShape *lefts, int i) {
    PageShape *shape = &lefts[i];
    shape->line = -1;
    for (int j = i - 1; j >= 0 && shape->line < 0; j--) {
        const bool level = are_in_line(shape, &lefts[j]), exponent = !level && is_exponent(shape, &lefts[j]);
        if (!level && !exponent) continue;
        shape->line = lefts[j].line;
        shape->raised = exponent || (lefts[j].raised && follows(shape, &lefts[j]));
    }
}

typedef struct {
    int line;
    double middle; /* of its shapes, from the top */
} Line;

static int compare_middles(const void *a, const void *b) {
    const double left = ((const Line *)a)->middle, right = ((const Line *)b)->middle;
    return (left > right) - (left < right);
}

/* Numbers the lines from the top. */
static void sort_lines(PageShapes *shapes, int lines) {
    Line *all = mem_new((size_t)larger(lines, 1), sizeof *all);
    int *place = mem_new((size_t)larger(lines, 1), sizeof *place);
    for (int l = 0; l < lines; l++) {
        int count = 0;
        all[l].line = l;
        for (int i = 0; i < shapes->count; i++)
            if (shapes->shapes[i].line == l) {
                all[l].middle += shapes->shapes[i].box.y + shapes->shapes[i].box.height / 2.0;
                count++;
            }
        all[l].middle /= count;
    }
    qsort(all, (size_t)lines, sizeof *all, compare_middles);
    for (int l = 0; l < lines; l++)
        place[all[l].line] = l;
    for (int i = 0; i < shapes->count; i++)
        shapes->shapes[i].line = place[shapes->shapes[i].line];
    mem_free(all);
    mem_free(place);
}

/* An exponent ends a number, and so does a patch under digits, or far fainter ink. */
static bool is_of_other_kind(const PageShape *before, const PageShape *shape) {
    return shape->line != before->line || shape->raised != before->raised ||
           shape->reversed != before->reversed || shape->faint != before->faint;
}

/* So does a gap as wide as a digit is high. */
static bool ends_number(const PageShape *before, const PageShape *shape) {
    return is_of_other_kind(before, shape) ||
           page_gap_x(&shape->box, &before->box) > larger(shape->box.height, before->box.height);
}

static PIX *borders_between(PIX *borders, const PageRect *a, const PageRect *b, int top, int bottom) {
    const int left = a->x + a->width / 2, right = b->x + b->width / 2;
    if (right <= left || top < 0 || top >= bottom || bottom > pixGetHeight(borders)) return NULL;
    BOX *box = boxCreate(left, top, right - left, bottom - top);
    PIX *between = pixClipRectangle(borders, box, NULL);
    boxDestroy(&box);
    return between;
}

/* Whether a border of cells runs between the middles of two shapes, over nearly all rows from top to bottom.
 */
static bool is_border_between(PIX *borders, const PageRect *a, const PageRect *b, int top, int bottom) {
    PIX *between = borders_between(borders, a, b, top, bottom);
    if (!between) return false;
    NUMA *rows = pixCountPixelsByRow(between, NULL);
    int covered = 0;
    for (int y = 0; y < numaGetCount(rows); y++) {
        l_int32 pixels;
        numaGetIValue(rows, y, &pixels);
        covered += pixels > 0;
    }
    numaDestroy(&rows);
    pixDestroy(&between);
    return 10 * covered >= 9 * (bottom - top);
}

/* The same for the height that the shapes share: digits may reach out of their cells. */
static bool are_in_cells(PIX *borders, const PageRect *a, const PageRect *b) {
    return is_border_between(borders, a, b, (int)larger(a->y, b->y),
                             (int)smaller(a->y + a->height, b->y + b->height));
}

/* And for more than their height, as of a comb's teeth and of strokes it isn't. */
static bool are_parted(PIX *borders, const PageRect *a, const PageRect *b) {
    const PageRect both = page_rect_united(a, b);
    const int beyond = both.height / 8;
    return is_border_between(borders, a, b, both.y - beyond, both.y + both.height + beyond);
}

/* Whether shapes are in different cells of a grid; two cells whose border has a gap seem to be one. */
static bool are_in_other_cells(const PageCells *cells, const PageRect *a, const PageRect *b) {
    const int left = page_cell_of(cells->grids, a), right = page_cell_of(cells->grids, b);
    return left != right || (left >= 0 && are_parted(cells->borders, a, b));
}

/* The column of the border next to a shape's middle, to the right (step 1) or left (-1), in the rows that it
 * shares with another; -1: there is none. */
static int border_beside(PIX *borders, const PageRect *shape, const PageRect *other, int step) {
    const int top = (int)larger(shape->y, other->y),
              bottom = (int)smaller(page_bottom_of(shape), page_bottom_of(other));
    for (int x = shape->x + shape->width / 2; x >= 0 && x < pixGetWidth(borders); x += step)
        for (int y = top; y < bottom; y++)
            if (page_is_inked(borders, x, y)) return x;
    return -1;
}

/* Whether shapes are somewhere between borders: print before or behind a row of cells isn't. */
static bool are_between_borders(PIX *borders, const PageRect *a, const PageRect *b) {
    return border_beside(borders, a, b, -1) >= 0 && border_beside(borders, b, a, 1) >= 0;
}

/* Whether shapes are in cells of about the same width that are next to each other, or nearly: between them
 * a wide gap is no end of a number. */
static bool are_in_neighbours(PIX *borders, const PageRect *a, const PageRect *b) {
    if (!are_in_cells(borders, a, b)) return false;
    const int left = border_beside(borders, a, b, -1), end = border_beside(borders, a, b, 1),
              begin = border_beside(borders, b, a, -1), right = border_beside(borders, b, a, 1);
    const int64_t low = smaller(end - left, right - begin), high = larger(end - left, right - begin);
    return left >= 0 && right >= 0 && 2 * high <= 3 * low && 3 * (begin - end) <= low;
}

/* Whether a number begins with a shape; notes a wide gap across which one goes on, but not between pieces of
 * digits. several: cells of the line hold several digits. */
static bool is_parted_from(const PageShape *before, PageShape *shape, bool several, const PageCells *cells) {
    const PageRect *a = &before->box, *b = &shape->box;
    if (is_of_other_kind(before, shape)) return true;
    if (are_in_other_cells(cells, a, b)) {
        shape->in_next_cell = !ends_number(before, shape);
        return true;
    }
    if (several) return ends_number(before, shape) || are_parted(cells->borders, a, b);
    const bool wide = ends_number(before, shape);
    shape->goes_on = wide && !before->small && !shape->small && are_in_neighbours(cells->borders, a, b);
    return wide && !shape->goes_on;
}

/* Counts the numbers of one line. In a row of cells that hold a digit each they are one number, as in a form;
 * where cells hold several, as in a table, their borders part numbers, and so do those of a grid. A single
 * border may have been overlooked. */
static int number_line(PageShape *shapes, int count, const PageCells *cells, int number) {
    PIX *borders = cells->borders;
    int within = 0, across = 0;
    for (int i = 1; i < count; i++) {
        const bool parted = are_in_cells(borders, &shapes[i - 1].box, &shapes[i].box);
        across += parted;
        within += !parted && !ends_number(&shapes[i - 1], &shapes[i]) &&
                  are_between_borders(borders, &shapes[i - 1].box, &shapes[i].box);
    }
    const bool several = across && 3 * within >= across;
    for (int i = 0; i < count; i++) {
        const PageShape *before = &shapes[i] - 1;
        if (i && is_parted_from(before, &shapes[i], several, cells)) number++;
        shapes[i].number = number;
    }
    return number + 1;
}

static void count_numbers(PageShapes *shapes, const PageCells *cells) {
    PageShape *all = shapes->shapes;
    int numbers = 0;
    for (int first = 0, end; first < shapes->count; first = end) {
        for (end = first + 1; end < shapes->count && all[end].line == all[first].line;)
            end++;
        numbers = number_line(all + first, end - first, cells, numbers);
    }
}

/* The gap between a shape and the one before. */
static int gap_before(const PageShape *shape) {
    return page_gap_x(&shape[-1].box, &shape->box);
}

/* Whether a gap is as wide as between words: against the shapes, and against most gaps of the number. Between
 * a printed word and the far higher digits that are filled in beside it, the word's letters count. */
static bool parts_words(const PageShape *shape, int usual) {
    const int high = (int)larger(shape->box.height, shape[-1].box.height),
              low = (int)smaller(shape->box.height, shape[-1].box.height), gap = gap_before(shape);
    const bool far_higher = 10 * high > 16 * low;
    return 10 * gap > 4 * (far_higher ? low : high) && 10 * gap > (far_higher ? 12 : 18) * usual;
}

/* Parts a number of some shapes into words; their number with the words before. */
static int part_number(PageShape *shapes, int count, int words) {
    int *gaps = mem_new((size_t)count, sizeof *gaps);
    for (int i = 1; i < count; i++)
        gaps[i - 1] = gap_before(&shapes[i]);
    sort_ints(gaps, (size_t)count - 1);
    const int usual = count > 1 ? gaps[(count - 2) / 2] : 0;
    for (int i = 0; i < count; i++) {
        if (i && parts_words(&shapes[i], usual)) words++;
        shapes[i].word = words;
    }
    mem_free(gaps);
    return words + 1;
}

/* How many letters a piece may be that is in a word with a shape; 0 if it isn't. */
static int letters_in(const PageShape *piece, const PageShape *shape) {
    const PageRect *box = &piece->box;
    const int high = (int)larger(box->height, shape->box.height);
    if (box->width <= 4 * box->height || 10 * box->height < 4 * shape->box.height ||
        !are_in_line(piece, shape) || 10 * page_gap_x(box, &shape->box) > 4 * high)
        return 0;
    return box->width / box->height;
}

static void count_strange(PageShape *shapes, int count, const PageShapes *pieces) {
    int strange = 0;
    for (int p = 0; p < pieces->count; p++) {
        int letters = 0;
        for (int i = 0; i < count && !letters; i++)
            letters = letters_in(&pieces->shapes[p], &shapes[i]);
        strange += letters;
    }
    for (int i = 0; i < count; i++)
        shapes[i].strange = strange;
}

static void find_words(PageShapes *shapes, const PageShapes *pieces) {
    PageShape *all = shapes->shapes;
    int words = 0;
    for (int first = 0, end; first < shapes->count; first = end) {
        for (end = first + 1; end < shapes->count && all[end].number == all[first].number;)
            end++;
        words = part_number(all + first, end - first, words);
    }
    for (int first = 0, end; first < shapes->count; first = end) {
        for (end = first + 1; end < shapes->count && all[end].word == all[first].word;)
            end++;
        count_strange(all + first, end - first, pieces);
    }
}

void page_order_shapes(PageShapes *shapes, const PageShapes *pieces, const PageCells *cells) {
    int lines = 0;
    PageShape *all = shapes->shapes;
    if (!shapes->count) return;
    qsort(all, (size_t)shapes->count, sizeof *all, compare_lefts);
    for (int i = 0; i < shapes->count; i++) {
        find_line(all, i);
        if (all[i].line < 0) all[i].line = lines++;
    }
    sort_lines(shapes, lines);
    qsort(all, (size_t)shapes->count, sizeof *all, compare_lines);
    count_numbers(shapes, cells);
    find_words(shapes, pieces);
}
