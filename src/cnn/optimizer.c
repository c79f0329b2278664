#include "cnn/optimizer.h"

#include <math.h>

/* Of the one-cycle schedule (Smith & Topin, "Super-convergence", 2018), as in common use. */
#define ONECYCLE_FIRST (1.0 / 25)
#define ONECYCLE_LAST  (1.0 / 250000)

Schedule schedule_create(const CnnOptions *options, int64_t total_steps) {
    return (Schedule){(ScheduleKind)options->schedule, options->lr, options->warmup * (double)total_steps,
                      total_steps};
}

/* Half a cosine wave from a (at part = 0) to b (at part = 1). */
static double cosine_between(double a, double b, double part) {
    return b + (a - b) * 0.5 * (1 + cos(M_PI * part));
}

double schedule_lr(const Schedule *s, int64_t step) {
    double done = (double)step, fall = (done - s->warmup_steps) / ((double)s->total_steps - s->warmup_steps);
    bool rising = done < s->warmup_steps;
    switch (s->kind) {
    case SCHEDULE_ONECYCLE:
        return s->lr * (rising ? cosine_between(ONECYCLE_FIRST, 1, done / s->warmup_steps)
                               : cosine_between(1, ONECYCLE_LAST, fall));
    case SCHEDULE_COSINE:
        return s->lr * (rising ? fmin((done + 1) / s->warmup_steps, 1) : cosine_between(1, 0, fall));
    case SCHEDULE_CONSTANT:
        break;
    }
    return s->lr;
}

/* In NETWORK_ALIGN partial sums, so that it runs in vectors. */
static double squared_norm(const float *values, int64_t n) {
    double sums[NETWORK_ALIGN] = {0}, total = 0;
    int64_t i = 0;
    for (; i + NETWORK_ALIGN <= n; i += NETWORK_ALIGN)
        for (int k = 0; k < NETWORK_ALIGN; k++)
            sums[k] += (double)values[i + k] * (double)values[i + k];
    for (; i < n; i++)
        total += (double)values[i] * (double)values[i];
    for (int k = 0; k < NETWORK_ALIGN; k++)
        total += sums[k];
    return total;
}

float lars_rate(const Sgd *sgd, const ParamArray *array, const float *gradient, const float *params) {
    if (!array->decays) return 1;
    double w = sqrt(squared_norm(params + array->first, array->count)),
           g = sqrt(squared_norm(gradient + array->first, array->count));
    return w == 0 || g == 0 ? 1 : (float)((double)sgd->trust * w / (g + (double)sgd->weight_decay * w));
}

/* g = rate * (gradient + decay * w);  v = momentum * v + g;  w = w - lr * (nesterov ? g + momentum * v : v)
 */
static void step_array(const Sgd *sgd, float decay, float lr, float rate, int64_t n,
                       const float *restrict gradient, float *restrict w, float *restrict v) {
    float momentum = sgd->momentum, look_ahead = sgd->nesterov ? momentum : 1, own = sgd->nesterov ? 1 : 0;
    for (int64_t i = 0; i < n; i++) {
        float g = rate * (gradient[i] + decay * w[i]);
        v[i] = momentum * v[i] + g;
        w[i] -= lr * (own * g + look_ahead * v[i]);
    }
}

void sgd_step(const Network *net, const Sgd *sgd, double lr, const float *rates, Range range,
              const float *gradient, float *params, float *velocity) {
    for (int a = 0; a < net->array_count; a++) {
        const ParamArray *array = &net->arrays[a];
        int64_t begin = array->first > range.begin ? array->first : range.begin;
        int64_t end = array->first + array->count < range.end ? array->first + array->count : range.end;
        if (begin < end)
            step_array(sgd, array->decays ? sgd->weight_decay : 0, (float)lr, rates ? rates[a] : 1,
                       end - begin, gradient + (begin - range.begin), params + begin, velocity + begin);
    }
}

double ema_share(double decay, int64_t step) {
    return (1 - decay) / (1 - pow(decay, (double)step));
}

void ema_step(double share, Range range, const float *restrict values, float *restrict average) {
    const float weight = (float)share;
    for (int64_t i = range.begin; i < range.end; i++)
        average[i] += weight * (values[i] - average[i]);
}
