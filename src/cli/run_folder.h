/* The folder of a run: DIR/model.h5, metrics.h5, config.ini. */
#ifndef PARDIGITS_CLI_RUN_FOLDER_H
#define PARDIGITS_CLI_RUN_FOLDER_H

#include "core/config.h"
#include "core/status.h"
#include "parallel/context.h"
#include "store/run_lock.h"

typedef enum {
    RUN_START_NEW,     /* there may be no run yet */
    RUN_START_RESUME,  /* one that is there is gone on with */
    RUN_START_REPLACE, /* it is replaced */
} RunStart;

typedef struct {
    char *folder, *model, *previous, *metrics, *config;
    RunLock lock;   /* on rank 0, against another run */
    RunStart start; /* by run_folder_prepare */
    bool begun;     /* whether a training has begun to change its files */
} RunFolder;

/* The paths in folder; freed by run_folder_free. */
RunFolder run_folder_new(const char *folder);
void run_folder_free(RunFolder *run);

/* Makes the folder where it is missing, locks it for this run (run_lock.h; run.lock_wait_s) and checks that
 * it can be written, and what is in it. Changes nothing in an old run, but puts one back that a run was to
 * replace which was killed before it had a model. Collective; ranks agree. */
StatusCode run_folder_prepare(RunFolder *run, RunStart start, const Config *config, const Context *context,
                              Status *status);

/* Makes room for a new run: an old run's files are called .FILE.old until run_folder_settle. Only rank 0
 * calls these. */
StatusCode run_folder_set_aside(const RunFolder *run, Status *status);

/* When a training has ended, in whatever way: removes the old run if there is a new model, or that of a
 * member, and otherwise puts it back: then true. */
bool run_folder_settle(const RunFolder *run);

/* Removes what a complete run needs no more: the previous copy, temporary files, and what stopped runs leave
 * beside the model. Only rank 0 calls it. */
void run_folder_tidy(const RunFolder *run);

/* Whether a stopped run left models beside its own, of members. Only rank 0 calls it. */
bool run_folder_has_leftovers(const RunFolder *run);

/* Whether a file of a run's folder is the run's, by its name: hidden ones are its lock and what it writes
 * before it is whole. */
bool run_folder_is_file(const char *name);

/* Whether a file has the name of one that a run keeps, and is in the folder of a run, or would be: another
 * command mustn't write it. */
bool run_folder_holds(const char *path);

/* Whether a run that is begun in the folder of a file would take it for its own, but isn't to: an HDF5 file's
 * name, for other content; is_model: it is to hold a model. */
bool run_folder_would_take(const char *path, bool is_model);

/* STATUS_USAGE if the file that a training writes beside the run's, for `option`, has the name of one of
 * those. After run_folder_prepare; collective. */
StatusCode run_folder_check_other(const RunFolder *run, const char *option, const char *path,
                                  const Comm *comm, Status *status);

/* Whether config.ini is as the program writes it: whole, and nothing of a person's is lost with it. */
bool run_folder_wrote_config(const RunFolder *run);

/* Keeps a config.ini that a person wrote, or changed beyond its values, as config.kept.ini too (or
 * config.kept-2.ini, ...), and the log says so. Before run_folder_set_aside. Only rank 0 calls it. */
StatusCode run_folder_keep_config(const RunFolder *run, Log *log, Status *status);

/* Writes config.ini. Only rank 0 calls it. */
StatusCode run_folder_write_config(const RunFolder *run, const Config *config, Status *status);

#endif
