/* The keys of [cnn] that ensembles have. */
#ifndef PARDIGITS_ENSEMBLE_ENSEMBLE_OPTIONS_H
#define PARDIGITS_ENSEMBLE_ENSEMBLE_OPTIONS_H

#include "core/config.h"

typedef struct {
    int64_t members;
    const char *member_preprocess;
    const char *member_layers;
    const char *member_settings;
    int64_t use_members;
} EnsembleOptions;

extern const ConfigTable ensemble_keys;

/* The options of a configuration, whose texts they point to. */
EnsembleOptions ensemble_options(const Config *config);

#endif
