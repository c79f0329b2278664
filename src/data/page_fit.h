/* The straight line that is nearest to some points: the sum of squares of how far they are above or below it
 * is least. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_FIT_H
#define PARDIGITS_DATA_PAGE_FIT_H

/* A line through (x, y); y rises by `slope` a column. */
typedef struct {
    double x, y, slope;
} PageLine;

/* Sums over points; 0 before the first one. */
typedef struct {
    double count, x, y, squares, products;
} PageFit;

static inline void page_fit_add(PageFit *fit, double x, double y) {
    fit->count++;
    fit->x += x;
    fit->y += y;
    fit->squares += x * x;
    fit->products += x * y;
}

/* Level where all points are in one column. There is at least one. */
static inline PageLine page_fit_line(const PageFit *fit) {
    const double spread = fit->squares - fit->x * fit->x / fit->count;
    return (PageLine){fit->x / fit->count, fit->y / fit->count,
                      spread > 0 ? (fit->products - fit->x * fit->y / fit->count) / spread : 0};
}

static inline double page_line_at(const PageLine *line, double x) {
    return line->y + (x - line->x) * line->slope;
}

#endif
