/* Where a page's rules are: lines that run to its edge, one by one followed along their course, which may be
 * aslant or bent. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_RULING_H
#define PARDIGITS_DATA_PAGE_RULING_H

#include <allheaders.h>
#include <stdbool.h>

/* A line from left to right. */
typedef struct {
    int begin, end; /* its first and its last column */
    int width;      /* pixels */
    int level;      /* of its ink */
    int seen;       /* columns in which it isn't hidden, or too faint for the mask */
    float *middle;  /* the row in which it is, by column: from begin to end */
} Rule;

/* A page, turned so that the rules that are looked for are about level. */
typedef struct {
    PIX *mask, *ink;
    PIX *runs; /* level pieces of thin lines that aren't of a rule that is known already */
    int width, height;
    Rule *rules;
    int count;
    int rule_width, rule_level; /* medians */
    bool many; /* the page is ruled: shorter pieces are rules too, and so is a line at the page's edge */
} Ruling;

/* quarters: of a turn clockwise, by which the page's rules become level. */
Ruling page_find_ruling(PIX *mask, PIX *ink, int quarters);

void page_ruling_free(Ruling *page);

int page_ruling_ink(const Ruling *page, int x, int y);

/* The rows, next to each other, in which a mask is set in a column, no farther than `reach` from a row. */
bool page_rows_near(PIX *mask, int x, double row, double reach, int *top, int *bottom);

/* Columns of a rule and, where the page is ruled, of what is beyond its last crossing, which may be too
 * little to be seen. */
void page_rule_columns(const Ruling *page, const Rule *rule, int *begin, int *end);

/* The upper and the lower row of a rule's course in a column, with its blurred edges. */
void page_rule_rows(const Ruling *page, const Rule *rule, int x, int *top, int *bottom);

/* Clears all of a rule's course. */
void page_clear_course(const Ruling *page, const Rule *rule, PIX *mask);

/* Pixels of the shortest piece that may be of a rule. */
int page_shortest_run(const Ruling *page);

#endif
