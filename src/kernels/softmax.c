#include "kernels/layers.h"

#include <math.h>

#include "kernels/exp32.h"

/* x = 2^e m with m near 1, ln m = 2 artanh((m - 1) / (m + 1)). */
double softmax_log(double x) {
    int e;
    double m = frexp(x, &e);
    if (m < 0x1.6a09e667f3bcdp-1) { /* sqrt(1/2) */
        m *= 2;
        e--;
    }
    const double t = (m - 1) / (m + 1), t2 = t * t;
    double sum = 0;
    for (int k = 21; k >= 1; k -= 2)
        sum = sum * t2 + 1.0 / k;
    return e * 0x1.62e42fefa39efp-1 + 2 * t * sum;
}

static float largest(int classes, const float *logits) {
    float best = logits[0];
    for (int c = 1; c < classes; c++)
        best = logits[c] > best ? logits[c] : best;
    return best;
}

/* Turns exponentials into probabilities; returns their sum before. */
static float normalise(int classes, float *row) {
    float sum = 0;
    for (int c = 0; c < classes; c++)
        sum += row[c];
    for (int c = 0; c < classes; c++)
        row[c] /= sum;
    return sum;
}

/* The logit that the target expects: sum over classes of target * logit. */
static double target_logit(int classes, const float *logits, uint8_t label, float smoothing) {
    if (smoothing == 0) return (double)logits[label];
    double sum = 0;
    for (int c = 0; c < classes; c++)
        sum += (double)logits[c];
    return (1 - (double)smoothing) * (double)logits[label] + (double)smoothing * sum / classes;
}

double softmax_loss(int n, int classes, const float *logits, const uint8_t *labels, float smoothing,
                    float *probabilities, float *logit_grad) {
    const float share = smoothing / (float)classes; /* of each class in the target */
    double loss = 0;
    for (int i = 0; i < n; i++) {
        const int64_t at = (int64_t)i * classes;
        float *const row = probabilities + at;
        const float shift = largest(classes, logits + at);
        for (int c = 0; c < classes; c++)
            row[c] = logits[at + c] - shift;
        const double expected = labels ? target_logit(classes, row, labels[i], smoothing) : 0;
        exp32(row, row, classes);
        const float sum = normalise(classes, row);
        if (!labels) continue;
        loss += softmax_log((double)sum) - expected;
        if (!logit_grad) continue;
        for (int c = 0; c < classes; c++)
            logit_grad[at + c] = row[c] - share;
        logit_grad[at + labels[i]] -= 1 - smoothing;
    }
    return loss;
}
