/* The keys of [cnn] that one network has; nesterov: 0 for no, 1 for yes; schedule: a ScheduleKind;
 * sum_bits: 0 for 64, 1 for 32, 2 for 16 (cnn_sum_bits). */
#ifndef PARDIGITS_CNN_CNN_OPTIONS_H
#define PARDIGITS_CNN_CNN_OPTIONS_H

#include "core/config.h"
#include "data/augment.h"

typedef struct {
    const char *layers;
    int64_t epochs;
    int64_t batch;
    int64_t micro_batch;
    int sum_bits;
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
    const char *class_weights;
    double shift;
    double rotate;
    double zoom;
    double shear;
    double stretch;
    double thickness;
    double elastic;
    double elastic_sigma;
    int keep;
    int best_by;
    int64_t patience;
    int64_t test_shifts;
    int64_t checkpoint_s;
    int64_t checkpoint_steps;
} CnnOptions;

enum { CNN_KEEP_LAST, CNN_KEEP_BEST };           /* values of keep */
enum { CNN_BEST_BY_LOSS, CNN_BEST_BY_ACCURACY }; /* of best_by */

/* Whether the run has to know its best epoch. */
static inline bool cnn_follows_best(const CnnOptions *options) {
    return options->keep == CNN_KEEP_BEST || options->patience > 0;
}

extern const ConfigTable cnn_keys;

/* cnn.sum_bits as a number. */
static inline int cnn_sum_bits(const CnnOptions *options) {
    return 64 >> options->sum_bits;
}

/* The random changes of training images. */
Augmentation cnn_augmentation(const CnnOptions *options);

/* The options of a configuration, whose texts they point to. */
CnnOptions cnn_options(const Config *config);

#endif
