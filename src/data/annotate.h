/* Pictures with a box and a caption at each digit read. */
#ifndef PARDIGITS_DATA_ANNOTATE_H
#define PARDIGITS_DATA_ANNOTATE_H

#include "core/status.h"
#include "data/digitize.h"

enum { ANNOTATION_BYTES = 32 };

typedef struct {
    FoundDigit place;
    bool doubtful;
    char caption[ANNOTATION_BYTES];
} AnnotatedBox;

/* Draws the pages of `pictures` pictures (pages[pictures], 0 for one that is left out) below each other into
 * one PNG, with the boxes [count], by picture and page. Large pages are scaled down, and those of small
 * digits up. Standard input can't be read a second time: none of the paths may be "-". The file appears whole
 * or not at all. */
StatusCode annotate_pictures(const char *out, char *const *paths, const int *pages, int pictures,
                             const AnnotatedBox *boxes, int count, Status *status);

#endif
