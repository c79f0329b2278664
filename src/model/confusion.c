#include "model/confusion.h"

#include "core/mem.h"

#include <math.h>

int64_t count_correct(const Prediction *predictions, const uint8_t *labels, int64_t n) {
    int64_t correct = 0;
    for (int64_t i = 0; i < n; i++)
        correct += predictions[i].label == labels[i];
    return correct;
}

Confusion confusion_count(const Prediction *predictions, const uint8_t *labels, int64_t n, int classes) {
    Confusion confusion = {n, count_correct(predictions, labels, n), classes,
                           mem_new((size_t)classes * (size_t)classes, sizeof *confusion.counts)};
    for (int64_t i = 0; i < n; i++)
        confusion.counts[labels[i] * classes + predictions[i].label]++;
    return confusion;
}

void confusion_free(Confusion *confusion) {
    mem_free(confusion->counts);
    *confusion = (Confusion){0};
}

double confusion_accuracy(const Confusion *confusion) {
    return confusion->n ? (double)confusion->correct / (double)confusion->n : NAN;
}
