#include "svm/svm_options.h"

#define OPTIONS SvmOptions
#include "core/config_table.h"

static const ConfigKey keys[] = {
    CHOICE("svm", features, "pixels", "pixels|gradient",
           "what the kernel sees: pixels, or edges of strokes by place and direction"),
    CHOICE("svm", kernel, "rbf", "rbf|poly|linear",
           "kernel: exp(-gamma |u-v|^2), (gamma u.v + coef0)^degree, u.v"),
    REAL("svm", c, "10", 1e-6, 1e9, "", "cost of a margin violation"),
    TEXT("svm", class_weights, "",
         "C of each class is c times its weight: `balanced`, or a number for each class; empty: 1"),
    REAL("svm", gamma, "0.02", 1e-9, 1e6, "",
         "gamma of the kernel, for pixels or features scaled to [0,1], or with normalize for images of "
         "length 1"),
    INT("svm", degree, "3", 1, 20, "", "degree of the polynomial kernel"),
    REAL("svm", coef0, "0", -1e6, 1e6, "", "constant term of the polynomial kernel"),
    CHOICE("svm", normalize, "no", "no|yes", "yes: the kernel sees every image scaled to length 1"),
    INT("svm", virtual, "0", 0, 3, "pixels",
        "virtual support vectors: train, shift the support vectors by 1, 2, ... this many pixels in 8 "
        "directions, "
        "train again on these; 0 disables"),
    REAL("svm", eps, "0.001", 1e-9, 1, "", "stop when the largest violation of optimality is below this"),
    CHOICE("svm", search, "none", "none|grid",
           "grid: first search C and gamma by cross-validation over grid_c and grid_gamma"),
    TEXT("svm", grid_c, "1 3 10 30", "values of C that a search tries"),
    TEXT("svm", grid_gamma, "0.01 0.02 0.04",
         "values of gamma that a search tries; with normalize, set values near 0.5"),
    CHOICE("svm", probability, "no", "no|yes",
           "yes: fit class probabilities by cross-validation within training; they become the confidences"),
    INT("svm", folds, "5", 2, 100, "folds", "parts of a cross-validation"),
    WORK_INT("svm", cache_mb, "1000", 1, 1e6, "MiB a rank", "memory for kernel rows"),
    WORK_INT("svm", shard, "4000", 1, 1e9, "samples",
             "if several ranks solve one pair of classes, each gets at least this many of its samples"),
    WORK_INT(
        "svm", checkpoint_s, "60", 0, 1e6, "s",
        "time between saves: after it a rank begins no other pair of classes, or part of a search, before a "
        "save"),
};

static const ConfigSynonym synonyms[] = {
    {"class_weight", "svm.class_weights", NULL, false},
    {"cost", "svm.c", NULL, false},
    {"penalty", "svm.c", NULL, false},
    {"tol", "svm.eps", NULL, false},
    {"tolerance", "svm.eps", NULL, false},
    {"epsilon", "svm.eps", NULL, false},
    {"cache_size", "svm.cache_mb", NULL, false},
    {"cv", "svm.folds", NULL, false},
    {"grid_search", "svm.search", NULL, false},
};

static const ConfigNeed needs[] = {
    {"svm.c", "svm.search=none"},
    {"svm.gamma", "svm.kernel=rbf|svm.kernel=poly"},
    {"svm.gamma", "svm.search=none"},
    {"svm.degree", "svm.kernel=poly"},
    {"svm.coef0", "svm.kernel=poly"},
    {"svm.grid_c", "svm.search=grid"},
    {"svm.grid_gamma", "svm.search=grid"},
    {"svm.grid_gamma", "svm.kernel=rbf|svm.kernel=poly"},
    {"svm.folds", "svm.search=grid|svm.probability=yes"},
};

const ConfigTable svm_keys = {COUNT_OF(keys), COUNT_OF(synonyms), keys, synonyms, COUNT_OF(needs), needs};

SvmOptions svm_options(const Config *config) {
    SvmOptions options;
    config_fill(config, &svm_keys, &options);
    return options;
}
