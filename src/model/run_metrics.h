/* The metrics of a run that goes on: those of another run aren't taken for its own. */
#ifndef PARDIGITS_MODEL_RUN_METRICS_H
#define PARDIGITS_MODEL_RUN_METRICS_H

#include "model/model.h"
#include "model/train_job.h"

/* Sets job->metrics, to be written at path, on rank 0 (metrics_open). With goes_on those that are there are
 * gone on with; a file of another configuration or of other training images gets another name, and metrics
 * begin anew. */
StatusCode run_metrics_open(TrainJob *job, const ModelFamily *family, const char *path, bool goes_on,
                            Status *status);

/* Notes on which hosts the ranks work, how they are bound, and on how many images. *hosts: their names
 * (placement_hosts), freed by the caller (mem_free). Collective. */
void run_metrics_note_place(const TrainJob *job, char **hosts);

/* Looks at the metrics of a complete run, which aren't written any more, as run_metrics_open does at those of
 * a run that goes on: damaged ones, and those of another run, get another name. */
void run_metrics_check(const Config *config, const ModelFamily *family, const char *path);

/* The digest of the model whose weights a run begins with, as its metrics say; "" where they don't. False if
 * they can't be read. Serial. */
enum { RUN_INIT_DIGEST = 65 };
bool run_metrics_init(const char *path, char digest[RUN_INIT_DIGEST]);

#endif
