#include "ensemble/ensemble_options.h"

#define OPTIONS EnsembleOptions
#include "core/config_table.h"

static const ConfigKey keys[] = {
    INT("cnn", members, "1", 1, 1000, "networks",
        "networks of an ensemble, each with its own seed, whose class probabilities are averaged"),
    TEXT("cnn", member_preprocess, "",
         "run.preprocess of each member in turn, such as: none width deskew; empty: the same for all"),
    TEXT("cnn", member_layers, "",
         "cnn.layers of each member in turn, separated by |; empty: the same for all"),
    TEXT("cnn", member_settings, "",
         "other keys of [cnn] of each member in turn, such as: epochs=20 elastic=0.8 | rotate=6; empty: the "
         "same "
         "for all"),
    WORK_INT("cnn", use_members, "0", 0, 1000, "networks",
             "evaluate and predict use only the first members, this many; 0 uses all"),
};

const ConfigTable ensemble_keys = {.count = COUNT_OF(keys), .keys = keys};

EnsembleOptions ensemble_options(const Config *config) {
    EnsembleOptions options;
    config_fill(config, &ensemble_keys, &options);
    return options;
}
