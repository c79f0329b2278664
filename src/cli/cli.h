/* What the commands share. A command is one cmd_*.c with one function, listed in main.c. */
#ifndef PARDIGITS_CLI_CLI_H
#define PARDIGITS_CLI_CLI_H

#include "core/config.h"
#include "core/output.h"
#include "core/status.h"
#include "ensemble/families.h"
#include "model/model.h"
#include "parallel/context.h"

#include <stdbool.h>
#include <stdint.h>

/* Runs a command: argv[0] is its name. Every rank calls it. */
typedef StatusCode (*CommandRun)(const Context *context, int argc, char **argv, Status *status);

StatusCode cmd_prepare(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_train(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_evaluate(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_predict(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_show(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_digest(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_export(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_import(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_bench(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_scaling(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_report(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_watch(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_keys(const Context *context, int argc, char **argv, Status *status);

/* The dataset that commands use without --data. */
#define DEFAULT_DATA "data/mnist.h5"

/* One option of a command. */
typedef struct {
    const char *name; /* without -- */
    bool *flag;       /* for an option without a value */
    const char **value;
    StatusCode (*take)(void *context, const char *value, Status *status); /* for an option that repeats */
    void *context;
    OutputFormat *format; /* set to as_format by an option without a value */
    OutputFormat as_format;
} Option;

/* --json and --csv. */
#define OPTIONS_OF_FORMAT(variable)                                                                          \
    {.name = "json", .format = (variable), .as_format = OUTPUT_JSON}, {                                      \
        .name = "csv", .format = (variable), .as_format = OUTPUT_CSV                                         \
    }

/* The operands of a command: how many, and what each is called in messages; the last name is also that of all
 * that may follow. */
typedef struct {
    int least, most;
    const char *const *names; /* [most], or fewer where the last one repeats */
} Operands;

/* Sets options from argv (any order, --name value or --name=value) and moves the operands to
 * argv[1..*operands]. options ends with a name that is NULL. STATUS_USAGE for an unknown option or a wrong
 * number of operands. */
StatusCode options_parse(int argc, char **argv, const Option *options, const Operands *wanted, int *operands,
                         Status *status);

/* The value of an option `name`, a number from least to most. STATUS_USAGE for anything else. */
StatusCode option_integer(const char *name, const char *text, int64_t least, int64_t most, int64_t *value,
                          Status *status);
StatusCode option_real(const char *name, const char *text, double least, double most, double *value,
                       Status *status);

/* HxW, each 8 to 64: the value of an option --shape. STATUS_USAGE for anything else. */
StatusCode shape_parse(const char *text, int *height, int *width, Status *status);

/* Refuses what isn't the name of a split (STATUS_USAGE). */
StatusCode split_check(const char *name, Status *status);

/* run.data becomes the path of a dataset from anywhere. */
StatusCode config_note_data(Config *config, const char *data, Status *status);

/* Images of a dataset for a model. */
typedef struct {
    const char *data; /* the user's dataset; NULL: the one that the model was trained on */
    const char *name; /* of the split: train, valid or test */
    const Model *model;
} Split;

typedef struct {
    char *data;             /* the path of the dataset */
    ImageSet set;           /* all of them, on every rank; the labels are the model's */
    int64_t first;          /* the row of the first one in its part of the dataset */
    const char *difference; /* of the training images from the model's (model_data_difference), or NULL */
} SplitImages;

/* Opens the dataset (model_data.h) and reads the images that a split means for a model. Collective: ranks
 * agree. Freed by split_images_free, also after a failure. */
StatusCode split_read(const Split *split, const Context *context, SplitImages *images, Status *status);
void split_images_free(SplitImages *images);

/* For an option --set: room for all that argc words can hold; freed by mem_free(items). */
Settings settings_new(int argc);
StatusCode settings_take(void *settings, const char *value, Status *status);

/* Whether an assignment of --set is of this key. */
bool setting_is_of(const char *setting, const char *key);

/* Fails if two of the models, files or folders of runs, are the same. where: begins the sentence. */
StatusCode check_models_differ(const char *where, int count, char **paths, Status *status);

/* Says which of them are keys of another kind of model than run.model. A file may have sections of all kinds.
 */
void settings_hint_at_unused(const Settings *settings, const Config *config, Log *log);

/* The same, and of what the configuration's file sets, in a line. */
void hint_at_unused_keys(const Settings *settings, const Config *config, Log *log);

/* Says of a model whose training isn't finished how far it is. */
void note_unfinished_model(const Model *model, Log *log);

/* STATUS_USAGE if out, a file to be written, is one of the inputs, a file that a run keeps in its folder, an
 * HDF5 file of another format than `format`, that of what is written (NULL: it isn't HDF5), or where HDF5 is
 * written any other file. Collective. */
StatusCode check_kept(const Context *context, const char *out, const char *format, int inputs,
                      char *const input[], Status *status);

/* The same, and atomic_file_check. Collective. */
StatusCode check_output(const Context *context, const char *out, const char *format, int inputs,
                        char *const input[], Status *status);

/* STATUS_USAGE if out is one of more inputs, known later. Collective. */
StatusCode check_not_among(const Context *context, const char *out, int inputs, char *const input[],
                           Status *status);

/* STATUS_USAGE if two of the files to be written (NULL: it isn't) have the same place. */
StatusCode check_outputs_differ(int count, const char *const outs[], Status *status);

/* Makes the folder of an option that results go to (NULL: none), before anything is computed. STATUS_USAGE if
 * it is a file. On rank 0. */
StatusCode make_output_folder(const char *option, const char *folder, Status *status);

/* STATUS_USAGE unless out, a picture to be written, is named as a PNG. */
StatusCode check_png(const char *out, Status *status);

#endif
