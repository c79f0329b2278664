/* The folder of a run in run.fallback_dir, where its model goes when the run's own folder can't be written
 * any more (TrainJob). */
#ifndef PARDIGITS_CLI_FALLBACK_FOLDER_H
#define PARDIGITS_CLI_FALLBACK_FOLDER_H

#include "cli/run_folder.h"

#include "core/config.h"
#include "core/status.h"
#include "parallel/comm.h"

/* The model's path there, of a run whose folder is there: run.fallback_dir/RUN-DIGITS/model.h5, with digits
 * of the run folder's whole name, as several runs may share run.fallback_dir. That is made where it is
 * missing. *model is the same on all ranks, and NULL where run.fallback_dir isn't set; freed by the caller
 * (mem_free). Collective; ranks agree. */
StatusCode fallback_folder_open(const RunFolder *run, const Config *config, const Comm *comm, char **model,
                                Status *status);

/* STATUS_USAGE if files are there that an earlier start saved: a new start might lose them. The sentence
 * takes the place of what status says already. Files of a run of that name on another host, or of a folder
 * elsewhere, are named in the log. model: as above; NULL is allowed. Collective; ranks agree. */
StatusCode fallback_folder_check(const RunFolder *run, const Config *config, const char *model,
                                 const Comm *comm, Log *log, Status *status);

/* When a training has failed and the run that it was to replace is in its folder again: adds that to what
 * status says of a model that was saved in the fallback folder. Only rank 0 calls it. */
void fallback_folder_explain(const RunFolder *run, const char *model, Status *status);

#endif
