#include "model/run_options.h"

#include "data/preprocess.h"
#include "parallel/watchdog.h"

#include <string.h>

#define OPTIONS RunOptions
#include "core/config_table.h"

static const ConfigKey keys[] = {
    INT("run", seed, "1", 0, 4294967295.0, "", "seed of every random number of the run"),
    INT("run", valid, "0", 0, 1e9, "images", "hold out the last training images, this many, for validation"),
    INT("run", train, "0", 0, 1e9, "images",
        "use only the first of the other training images, this many; 0 uses all"),
    WORK_TEXT("run", data, "",
              "the dataset, where --data isn't given; train sets it to the one that it used"),
    WORK_TEXT("run", init_digest, "",
              "digest of the model whose weights the training begins with; train sets it to that of --init"),
    WORK_TEXT("run", fallback_dir, "",
              "a folder for the model of a training that ends when its run folder can't be written"),
    WORK_INT_OR("auto", "run", lock_wait_s, "auto", 1, 1e6, "s",
                "how long to wait for another run in the folder; auto: 120 s in a Slurm job's second and "
                "later starts, otherwise not at all"),
    CHOICE("run", preprocess, "none", PREPROCESS_CHOICES,
           "how every image is preprocessed, in training and in use"),
    WORK_INT("run", stall_warn_s, "60", 0, 1e6, "s",
             "a rank without progress for so long is named by all others; 0 never"),
    WORK_INT("run", stall_abort_s, "0", 0, 1e6, "s",
             "a rank without progress for so long ends the job with exit code 1; 0 never"),
    WORK_CHOICE("run", balance, "speed", "speed|even",
                "how work is shared by ranks: by their measured speed, or evenly; the results are the same"),
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

const ConfigTable run_keys = {
    .count = COUNT_OF(keys), .synonym_count = COUNT_OF(synonyms), .keys = keys, .synonyms = synonyms};

RunOptions run_options(const Config *config) {
    RunOptions options;
    config_fill(config, &run_keys, &options);
    return options;
}

void run_options_apply(const Config *config, const Comm *comm) {
    const RunOptions options = run_options(config);
    watchdog_set_patience(comm, options.stall_warn_s, options.stall_abort_s);
}

bool run_key_is_unused(const Config *config, const char *name) {
    const char *model = config_text(config, "run.model");
    const size_t section = strcspn(name, ".");
    return strncmp(name, "run.", 4) && (section != strlen(model) || strncmp(name, model, section));
}

void run_forget_unused(Config *config) {
    Status never = {0};
    for (int i = 0; i < config_count(config); i++) {
        const ConfigKey *key = config_key(config, i);
        if (run_key_is_unused(config, key->name))
            config_set_value(config, key->name, key->initial, "default", &never);
    }
}

const ConfigKey *run_difference(const Config *a, const Config *b) {
    Config *used_a = config_copy(a), *used_b = config_copy(b);
    run_forget_unused(used_a);
    run_forget_unused(used_b);
    const ConfigKey *key = config_difference(used_a, used_b);
    config_destroy(&used_b);
    config_destroy(&used_a);
    return key;
}
