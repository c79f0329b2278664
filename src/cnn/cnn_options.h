/* The keys of [cnn] that one network has; nesterov: 0 for no, 1 for yes; schedule: a ScheduleKind. */
#ifndef PARDIGITS_CNN_CNN_OPTIONS_H
#define PARDIGITS_CNN_CNN_OPTIONS_H

#include "core/config.h"

typedef struct {
    const char *layers;
    int64_t epochs;
    int64_t batch;
    int64_t micro_batch;
    double lr;
    double momentum;
    int nesterov;
    double weight_decay;
    double lars;
    int schedule;
    double warmup;
    double bn_momentum;
    double ema;
    double label_smoothing;
    double shift;
    double rotate;
    double zoom;
    double shear;
    double stretch;
    double thickness;
    double elastic;
    double elastic_sigma;
    int64_t test_shifts;
    int64_t checkpoint_s;
} CnnOptions;

extern const ConfigTable cnn_keys;

/* The options of a configuration, whose texts they point to. */
CnnOptions cnn_options(const Config *config);

#endif
