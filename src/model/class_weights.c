#include "model/class_weights.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_WEIGHT   1e-6
#define LARGEST_WEIGHT 1e6

bool class_weights_given(const char *text) {
    return *text != 0;
}

static void balance(int classes, const int64_t *counts, double *weights) {
    int64_t all = 0, present = 0;
    for (int c = 0; c < classes; c++) {
        all += counts[c];
        present += counts[c] > 0;
    }
    for (int c = 0; c < classes; c++)
        weights[c] = counts[c] ? (double)all / ((double)present * (double)counts[c]) : 1;
}

static StatusCode read_list(const char *name, const char *text, int classes, double *weights,
                            Status *status) {
    const char *at = text;
    char *end;
    int count = 0;
    for (; *(at += strspn(at, " ,\t")); at = end) {
        const double weight = strtod(at, &end);
        if (end == at || !(weight >= LEAST_WEIGHT && weight <= LARGEST_WEIGHT))
            return status_set(status, STATUS_USAGE,
                              "%s = %s: expected `balanced` or a number from %g to %g for each class.", name,
                              text, LEAST_WEIGHT, LARGEST_WEIGHT);
        if (count < classes) weights[count] = weight;
        count++;
    }
    if (count == classes) return status->code;
    return status_set(status, STATUS_USAGE, "%s has %d numbers, but there are %d classes.", name, count,
                      classes);
}

StatusCode class_weights_read(const char *name, const char *text, int classes, const int64_t *counts,
                              double *weights, Status *status) {
    for (int c = 0; c < classes; c++)
        weights[c] = 1;
    if (!class_weights_given(text)) return status->code;
    if (strcmp(text, "balanced")) return read_list(name, text, classes, weights, status);
    if (counts) balance(classes, counts, weights);
    return status->code;
}
