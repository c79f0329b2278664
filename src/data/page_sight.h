/* How a page is seen: where its ink is, and the shapes in it. Private to src/data/page*.c. */
#ifndef PARDIGITS_DATA_PAGE_SIGHT_H
#define PARDIGITS_DATA_PAGE_SIGHT_H

#include "data/page_light.h"
#include "data/page_line_removal.h"
#include "data/page_parts.h"

#include <stdbool.h>

/* A page, or the sheet on it; in grey, as all pages here. */
typedef struct {
    PIX *page;
    PIX *outside; /* 1 where the page isn't the sheet; NULL: nowhere */
    int window;   /* what is wider than these pixels is paper */
} PageWork;

/* A page in one of the two ways to see it: its ink darker than its paper, or lighter. */
typedef struct {
    PIX *ink;
    int level; /* the paper's */
    PageLight light;
    PageCells cells;
    PIX *rules;  /* the courses of all rules, where the page is ruled; else NULL */
    PIX *around; /* what isn't the paper that is written on; NULL: nothing, or PageWork.outside says it */
    PageShapes shapes, pieces;
    PageShapes faint;    /* far fainter than the shapes; emptied by page_add_faint */
    PageShapes reversed; /* holes in ink that may be digits; emptied by page_sight_add_reversed */
    PIX *reversed_mask;  /* of the ink of this look; NULL where it has no such holes */
    PIX *reversed_ink;   /* the inverse of the ink that `reversed` is read from; NULL where there is none */
    double score;        /* how much looks like writing */
} PageSight;

/* Sees a page with a wide window first: strokes may be wide. Where they are far narrower the light is
 * followed more closely; likewise where nothing is found, or beside a shadow, in which there may be more. */
PageSight page_look(const PageWork *work, bool dark);

/* Adds the digits on patches of ink to the shapes, in place of their patches. Returns how much they look like
 * writing, as the score does. */
double page_sight_add_reversed(PageSight *sight);

void page_sight_free(PageSight *sight);

#endif
