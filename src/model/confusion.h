/* Everything that is counted from predictions. */
#ifndef PARDIGITS_MODEL_CONFUSION_H
#define PARDIGITS_MODEL_CONFUSION_H

#include "model/model.h"
#include "store/dataset.h"

#include <stdint.h>

typedef struct {
    int64_t n, correct;
    int64_t counts[CLASSES][CLASSES]; /* [true label][predicted label] */
} Confusion;

/* Counts n predictions against the labels. */
Confusion confusion_count(const Prediction *predictions, const uint8_t *labels, int64_t n);

/* Share of correct predictions; NaN for n = 0. */
double confusion_accuracy(const Confusion *confusion);

#endif
