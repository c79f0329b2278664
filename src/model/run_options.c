#include "model/run_options.h"

#define OPTIONS RunOptions
#include "core/config_table.h"

static const ConfigKey keys[] = {
    INT("run", seed, "1", 0, 4294967295.0, "", "seed of every random number of the run"),
    INT("run", valid, "0", 0, 1e9, "images",
        "how many of the last training images are held out for validation"),
    INT("run", train, "0", 0, 1e9, "images", "train on only the first so many of the rest; 0 for all"),
    CHOICE("run", preprocess, "none", "none|deskew|deskew-blur|deskew-centre|width",
           "what is done to every image first, in training and in use"),
};

static const ConfigSynonym synonyms[] = {
    {"random_state", "run.seed", NULL, false},
    {"random_seed", "run.seed", NULL, false},
    {"validation", "run.valid", NULL, false},
    {"validation_split", "run.valid", "it is a number of images", false},
    {"val_size", "run.valid", NULL, false},
    {"train_size", "run.train", NULL, false},
    {"preprocessing", "run.preprocess", NULL, false},
    {"deskew", "run.preprocess", NULL, false},
};

const ConfigTable run_keys = {COUNT_OF(keys), COUNT_OF(synonyms), keys, synonyms};

RunOptions run_options(const Config *config) {
    RunOptions options;
    config_fill(config, &run_keys, &options);
    return options;
}
