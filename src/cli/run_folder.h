/* The folder of a run: DIR/model.h5, metrics.h5, config.ini. */
#ifndef PARDIGITS_CLI_RUN_FOLDER_H
#define PARDIGITS_CLI_RUN_FOLDER_H

#include "core/config.h"
#include "core/status.h"
#include "parallel/comm.h"

#include <stdbool.h>

typedef struct {
    char *folder, *model, *previous, *metrics, *config;
    int lock; /* on rank 0: the open folder or a file in it, locked against another run; or -1 */
} RunFolder;

/* The paths in folder; freed by run_folder_free. */
RunFolder run_folder_new(const char *folder);
void run_folder_free(RunFolder *run);

/* Makes the folder where it is missing, locks it for this run (a folder that can't be locked is refused) and
 * checks that it can be written, and that a run in it may be replaced (overwrite) or gone on with (resume).
 * Changes nothing in an old run. Collective; ranks agree. */
StatusCode run_folder_prepare(RunFolder *run, bool resume, bool overwrite, const Comm *comm, Status *status);

/* Makes room for a new run: an old run's files are called FILE.old until run_folder_settle. Only rank 0 calls
 * these. */
StatusCode run_folder_set_aside(const RunFolder *run, Status *status);

/* When a training has ended, in whatever way: removes the old run if there is a new model, and otherwise puts
 * it back. */
void run_folder_settle(const RunFolder *run);

/* Removes what stopped runs leave beside the model. Only rank 0 calls it. */
void run_folder_remove_leftovers(const RunFolder *run);

/* Writes config.ini. Only rank 0 calls it. */
StatusCode run_folder_write_config(const RunFolder *run, const Config *config, Status *status);

#endif
