/* The keys of [svm]. */
#ifndef PARDIGITS_SVM_SVM_OPTIONS_H
#define PARDIGITS_SVM_SVM_OPTIONS_H

#include "core/config.h"

/* The choices of svm.features, in the order of the table; those of svm.kernel are SvmKernelType's, those of
 * yes-no keys 0 for no, 1 for yes; svm.search: 0 for none, 1 for grid. */
enum { SVM_FEATURES_PIXELS, SVM_FEATURES_GRADIENT };

typedef struct {
    int features;
    int kernel;
    double c;
    const char *class_weights;
    double gamma;
    int64_t degree;
    double coef0;
    int normalize;
    int64_t virtual;
    double eps;
    int search;
    const char *grid_c;
    const char *grid_gamma;
    int probability;
    int64_t folds;
    int64_t cache_mb;
    int64_t shard;
    int64_t checkpoint_s;
} SvmOptions;

extern const ConfigTable svm_keys;

/* The options of a configuration, whose texts they point to. */
SvmOptions svm_options(const Config *config);

#endif
