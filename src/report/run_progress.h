/* How far a run under way has come, by its metrics file. Not collective. */
#ifndef PARDIGITS_REPORT_RUN_PROGRESS_H
#define PARDIGITS_REPORT_RUN_PROGRESS_H

#include "core/config.h"
#include "core/output.h"
#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

/* One that diverged would again if it were gone on with. */
typedef enum { RUN_GOING_ON, RUN_COMPLETE, RUN_STOPPED, RUN_ABANDONED, RUN_DIVERGED } RunState;

typedef struct {
    RunState state;
    int64_t done, all; /* steps of a network, pairs of classes of an SVM; all 0: unknown */
    int64_t search_done,
        search_parts;    /* of an SVM's search for C and gamma; both 0: unknown, or there is none */
    double seconds;      /* since the start of the run, when the file was written */
    double left_s;       /* NaN: unknown */
    double images_per_s; /* lately; NaN: unknown */
} RunProgress;

/* Whether the model beside the metrics at path is that of a complete run. */
bool run_progress_model_is_complete(const char *path);

/* Where a run's metrics are. */
typedef struct {
    char *path;
    int member; /* of an ensemble under way, whose own metrics these are; -1: the run's */
} RunMetrics;

/* Reads the metrics, which a run may replace at any moment, and fills the output (OUTPUT_LINES) with
 * one record: where the run is, how fast, and its curves. Each call opens the file by its name again.
 * held: whether somebody held the run's lock before this call; a run that hasn't ended and whose lock nobody
 * holds is RUN_ABANDONED.
 * A member's metrics say nothing of the time left, and the run isn't complete by them.
 * STATUS_FAILED: it isn't there or can't be read, which may pass on a shared file system. */
StatusCode run_progress_read(RunProgress *progress, const RunMetrics *metrics, const ConfigTables *keys,
                             bool held, Output *output, Status *status);

#endif
