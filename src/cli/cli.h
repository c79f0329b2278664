/* What the commands share. A command is one cmd_*.c with one function, listed in main.c. */
#ifndef PARDIGITS_CLI_CLI_H
#define PARDIGITS_CLI_CLI_H

#include "core/config.h"
#include "core/log.h"
#include "core/partition.h"
#include "core/status.h"
#include "model/family.h"
#include "parallel/comm.h"

#include <stdbool.h>

typedef struct {
    const Comm *comm;
    Log *log;
    int threads; /* OpenMP threads of this rank */
} Program;

/* Runs a command: argv[0] is its name. Every rank calls it; all return the same status. */
typedef StatusCode (*CommandRun)(Program *program, int argc, char **argv, Status *status);

StatusCode cmd_prepare(Program *program, int argc, char **argv, Status *status);
StatusCode cmd_train(Program *program, int argc, char **argv, Status *status);
StatusCode cmd_evaluate(Program *program, int argc, char **argv, Status *status);
StatusCode cmd_predict(Program *program, int argc, char **argv, Status *status);
StatusCode cmd_show(Program *program, int argc, char **argv, Status *status);
StatusCode cmd_digest(Program *program, int argc, char **argv, Status *status);
StatusCode cmd_export(Program *program, int argc, char **argv, Status *status);
StatusCode cmd_import(Program *program, int argc, char **argv, Status *status);
StatusCode cmd_bench(Program *program, int argc, char **argv, Status *status);

/* The dataset that commands use without --data. */
#define DEFAULT_DATA "data/mnist.h5"

/* One option of a command. */
typedef struct {
    const char *name; /* without -- */
    bool *flag;       /* for an option without a value */
    const char **value;
    StatusCode (*take)(void *context, const char *value, Status *status); /* for an option that repeats */
    void *context;
} Option;

/* Sets options from argv (any order, --name value or --name=value) and moves the operands to
 * argv[1..*operands]. options ends with a name that is NULL. STATUS_USAGE for an unknown option or a wrong
 * number of operands. */
StatusCode options_parse(int argc, char **argv, const Option *options, int least_operands, int most_operands,
                         int *operands, Status *status);

/* The rows of a dataset that a split (train, valid, test) means for a model of this configuration, and the
 * part that they are in. Collective: ranks agree. */
StatusCode split_rows(const char *data, const char *split, const Comm *comm, const Config *config,
                      const char **part, Range *rows, Status *status);

/* The family of a name; NULL if there is none. */
const ModelFamily *family_find(const char *name);

/* A trained model, open for use. */
typedef struct {
    H5File *file;
    Config *config;
    const ModelFamily *family;
    void *model;
} OpenModel;

/* Assignments "section.key=value" of --set, in the order of the command line. */
typedef struct {
    int count;
    const char **items; /* [count] owned by the command */
} Settings;

/* For an option --set: room for all that argc words can hold; freed by mem_free(items). */
Settings settings_new(int argc);
StatusCode settings_take(void *settings, const char *value, Status *status);

/* Opens, verifies and loads a model file. The settings change the configuration that is stored in it: only
 * keys that say how a model is used. Collective; ranks agree. Closed by model_close (also after a failure).
 */
StatusCode model_open(const Program *program, const char *path, const Settings *settings, OpenModel *open,
                      Status *status);
/* The same without loading the model itself: for show. */
StatusCode model_open_file(const Program *program, const char *path, OpenModel *open, Status *status);
void model_close(OpenModel *open);

/* STATUS_USAGE if out, a file to be written, is one of the inputs, or can't be replaced (atomic_file_check).
 * Collective. */
StatusCode check_output(const Program *program, const char *out, int inputs, char *const input[],
                        Status *status);

/* Ends a command's output on standard output: a write that failed (a full disk) is an error. */
StatusCode finish_output(Status *status);

#endif
