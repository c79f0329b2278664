/* What a training would be, without its files: `train --dry-run`. */
#ifndef PARDIGITS_CLI_DRY_RUN_H
#define PARDIGITS_CLI_DRY_RUN_H

#include "core/output.h"
#include "model/train_job.h"

/* Reads the images of a dataset, rehearses the training and prints what it found out. job: with what all
 * families need but without files. Collective: all ranks agree. */
StatusCode dry_run(TrainJob *job, const Dataset *dataset, OutputFormat format, Status *status);

#endif
