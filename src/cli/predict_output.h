/* What predict prints and draws of the digits read. Private to src/cli. */
#ifndef PARDIGITS_CLI_PREDICT_OUTPUT_H
#define PARDIGITS_CLI_PREDICT_OUTPUT_H

#include "cli/read_pictures.h"
#include "cli/readings.h"
#include "core/output.h"

/* What came of some pictures. */
typedef struct {
    PictureList list;
    int *pages; /* [list.count], 0 for a picture that can't be read */
    UnreadPages unread;
    FoundDigits found;
    ReadDigits read;
} PredictResults;

/* A line for each page, with its digits as text; in JSON an object for each page, in CSV a line for each
 * digit. Rank 0 alone. */
void predict_add_pages(const PredictResults *results, const Model *model, bool probabilities, Output *output);

/* A PNG of each digit as the model sees it, with what it was read as. */
StatusCode predict_draw_seen(const PredictResults *results, const Model *model, const char *out,
                             Status *status);

/* A PNG of the pages, one below the other, with a box and label at each digit. */
StatusCode predict_draw_boxes(const PredictResults *results, const Model *model, const char *out,
                              Status *status);

#endif
