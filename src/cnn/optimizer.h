/* Stochastic gradient descent with momentum, and how its learning rate changes over a run. */
#ifndef PARDIGITS_CNN_OPTIMIZER_H
#define PARDIGITS_CNN_OPTIMIZER_H

#include "cnn/network.h"

#include "cnn/cnn_options.h"
#include "core/partition.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { SCHEDULE_CONSTANT, SCHEDULE_ONECYCLE, SCHEDULE_COSINE } ScheduleKind;

typedef struct {
    ScheduleKind kind;
    double lr;           /* constant, or the peak */
    double warmup_steps; /* steps until the peak; not of the constant schedule */
    int64_t total_steps; /* of the whole run */
} Schedule;

/* The schedule of the configuration (cnn.schedule, cnn.lr, cnn.warmup). */
Schedule schedule_create(const CnnOptions *options, int64_t total_steps);

/* The learning rate of a step, 0 <= step < total_steps. */
double schedule_lr(const Schedule *schedule, int64_t step);

typedef struct {
    float momentum;
    float weight_decay; /* of weights only */
    bool nesterov;
    float trust; /* coefficient of layer-wise rates; 0 for none */
} Sgd;

/* The layer-wise rate of a step (LARS: You, Gitman, Ginsburg, "Large batch training of convolutional
 * networks", 2017): trust * |w| / (|gradient| + decay |w|), by which the gradient of the array is multiplied.
 * 1 for what doesn't decay, and where a norm is 0. gradient and params [param_floats]; added up in a fixed
 * order. */
float lars_rate(const Sgd *sgd, const ParamArray *array, const float *gradient, const float *params);

/* One step on the elements of range, which may begin and end anywhere at a multiple of NETWORK_ALIGN.
 * gradient [range_size(range)] is theirs alone; params and velocity [param_floats] are updated. rates
 * [array_count] multiply the gradients (NULL: 1). */
void sgd_step(const Network *net, const Sgd *sgd, double lr, const float *rates, Range range,
              const float *gradient, float *params, float *velocity);

/* An exponential moving average without memory of where it began: after step t = 1, 2, ... it is the mean of
 * the values of steps 1..t, weighted by decay^(t - i) (Polyak & Juditsky 1992; corrected as in Adam, Kingma &
 * Ba, ICLR 2015). This is the new value's share in it: (1 - decay) / (1 - decay^t). */
double ema_share(double decay, int64_t step);

/* average += share * (values - average) for the elements of range, which begins at a multiple of
 * NETWORK_ALIGN. */
void ema_step(double share, Range range, const float *values, float *average);

#endif
