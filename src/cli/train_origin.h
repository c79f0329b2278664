/* What a training begins with: the checkpoint of the run that --resume goes on with, the model of --init, and
 * whether they suit. Collective; ranks agree. */
#ifndef PARDIGITS_CLI_TRAIN_ORIGIN_H
#define PARDIGITS_CLI_TRAIN_ORIGIN_H

#include "cli/run_folder.h"

#include "model/train_job.h"
#include "store/h5io.h"

#include <stdbool.h>

/* Opens the checkpoint to go on from, if there is one (else *resume stays NULL), and checks that it is of the
 * same configuration. *complete: whether there is nothing left to train. *resume: closed by the caller. */
StatusCode train_open_resumed(const RunFolder *run, const Config *config, const Comm *comm, H5File **resume,
                              bool *complete, Status *status);

/* *builds: the fingerprints of the programs that trained a run, this one's last; freed by the caller. Another
 * build or kind of processor gives other bits, so that the run would be neither's: STATUS_USAGE unless others
 * are allowed. Of job->config, with job->resume. */
StatusCode train_check_build(const RunFolder *run, const TrainJob *job, bool allow_others, char **builds,
                             Status *status);

/* Opens the model of --init (path NULL: none) of job->config's family, and finds its digest or, of a run that
 * is resumed, the one that it was begun with. A run without a checkpoint needs that model again. run NULL: a
 * rehearsal. *init is closed and *digest freed by the caller. */
StatusCode train_open_init(const char *path, const RunFolder *run, const TrainJob *job, H5File **init,
                           char **digest, Status *status);

/* Notes the model of --init in a run folder that has no run yet, by its configuration: it may be killed while
 * its images are read. Whether that is a new file: on rank 0, false elsewhere. A failure is met again when
 * the training begins. */
bool train_note_init(const RunFolder *run, const TrainJob *job);

#endif
