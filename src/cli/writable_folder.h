/* Folders that a training writes to. */
#ifndef PARDIGITS_CLI_WRITABLE_FOLDER_H
#define PARDIGITS_CLI_WRITABLE_FOLDER_H

#include "core/config.h"
#include "core/status.h"
#include "parallel/comm.h"

/* Makes the folder where it is missing, and tries to write in it. `what` and `other` are of the sentence if
 * it can't be written. */
StatusCode writable_folder(const char *folder, const char *what, const char *other, Status *status);

/* Where the model of the run in a folder, which is there, goes if that can't be written any more (TrainJob):
 * run.fallback_dir/RUN-DIGITS/model.h5, with digits of the run folder's whole name, as several runs may share
 * run.fallback_dir. That is made where it is missing. *model is the same on all ranks, and NULL where
 * run.fallback_dir isn't set; freed by the caller (mem_free). Collective; ranks agree. */
StatusCode writable_folder_fallback(const char *run, const Config *config, const Comm *comm, char **model,
                                    Status *status);

#endif
