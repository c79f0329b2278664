#include "model/confusion.h"

#include <math.h>

Confusion confusion_count(const Prediction *predictions, const uint8_t *labels, int64_t n) {
    Confusion confusion = {.n = n};
    for (int64_t i = 0; i < n; i++) {
        confusion.counts[labels[i]][predictions[i].label]++;
        confusion.correct += predictions[i].label == labels[i];
    }
    return confusion;
}

double confusion_accuracy(const Confusion *confusion) {
    return confusion->n ? (double)confusion->correct / (double)confusion->n : NAN;
}
