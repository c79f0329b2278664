#include "cnn/micro_batch_loss.h"

#include "cnn/contribution.h"

static int count_correct(const MicroBatchWork *work, int n) {
    const int classes = work->net->spec.classes;
    int correct = 0;
    for (int s = 0; s < n; s++) {
        const float *p = work->probabilities + (int64_t)s * classes;
        int best = 0;
        for (int c = 1; c < classes; c++)
            if (p[c] > p[best]) best = c;
        correct += best == work->labels[s];
    }
    return correct;
}

/* The sum of the losses, and their gradients; each times its class's weight. */
static double sum_losses(MicroBatchWork *work, int n) {
    const Network *net = work->net;
    const int classes = net->spec.classes;
    const float *logits = work->out[net->layer_count - 1];
    if (!work->class_weights)
        return softmax_loss(n, classes, logits, work->labels, work->smoothing, work->probabilities,
                            work->gradient);
    double loss = 0;
    for (int i = 0; i < n; i++) {
        const int at = i * classes;
        const double weight = work->class_weights[work->labels[i]];
        loss += weight * softmax_loss(1, classes, logits + at, work->labels + i, work->smoothing,
                                      work->probabilities + at, work->gradient + at);
        for (int c = 0; c < classes; c++)
            work->gradient[at + c] *= (float)weight;
    }
    return loss;
}

/* Class weights may make a loss larger than an exact sum takes (EXACT_SUM_LIMIT). */
double micro_batch_loss_unit(const double *class_weights) {
    return class_weights ? 0x1p16 : 1;
}

void micro_batch_loss(MicroBatchWork *work, int n, float *contribution) {
    const Network *net = work->net;
    const float share = 1.0f / (float)work->micro_batch;
    const double loss = sum_losses(work, n);
    for (int i = 0; i < n * net->spec.classes; i++)
        work->gradient[i] *= share;
    contribution[contribution_loss(net)] = (float)(loss * share / micro_batch_loss_unit(work->class_weights));
    contribution[contribution_correct(net)] = (float)count_correct(work, n) * share;
}
