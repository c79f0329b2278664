/* Everything that is counted from predictions. */
#ifndef PARDIGITS_MODEL_CONFUSION_H
#define PARDIGITS_MODEL_CONFUSION_H

#include "model/model.h"

#include <stdint.h>

typedef struct {
    int64_t n, correct;
    int classes;
    int64_t *counts; /* [classes][classes] by true label, then predicted label */
} Confusion;

/* Counts n predictions against the labels, both below classes. Freed by confusion_free. */
Confusion confusion_count(const Prediction *predictions, const uint8_t *labels, int64_t n, int classes);
void confusion_free(Confusion *confusion);

/* How many predictions are right. */
int64_t count_correct(const Prediction *predictions, const uint8_t *labels, int64_t n);

/* Share of correct predictions; NaN for n = 0. */
double confusion_accuracy(const Confusion *confusion);

#endif
