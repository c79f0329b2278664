/* Scaling studies: which of some runs differ only in the number of workers (strong scaling) or do the same
 * work a worker (weak scaling), and how much faster more workers are. A worker is a thread of a rank. Not
 * collective. */
#ifndef PARDIGITS_REPORT_SCALING_STUDY_H
#define PARDIGITS_REPORT_SCALING_STUDY_H

#include "report/scaling_run.h"

/* Of repeated runs. NaN if they don't tell. */
typedef struct {
    double median, least, most;
} Spread;

/* Runs on the same numbers of hosts, ranks and threads. */
typedef struct {
    const ScalingRun *run; /* one of them */
    int repeats;
    Spread seconds, images_per_s;
    /* speed-up S = (seconds of the base / seconds) x (images / images of the base), the base's seconds being
     * its median; efficiency = S / (workers / workers of the base) */
    Spread speedup, efficiency;
    Spread wait_share, exposed_share, accuracy_s;
    double accuracy; /* of run: equal configurations have the same in all runs */
} ScalingPoint;

typedef struct {
    const char *kind; /* "strong", "weak" */
    ScalingMeasure measure;
    int count;
    ScalingPoint *points; /* [count], by workers; the first one is the base */
} ScalingStudy;

typedef struct {
    int count;
    ScalingStudy *items; /* [count] */
    int unused;          /* runs that belong to none */
} ScalingStudies;

/* Finds the studies in runs[count], which must outlive them. STATUS_USAGE if configurations differ in another
 * key than those of size, or if there is no study: all runs have the same size, or their sizes don't match.
 * Freed by scaling_studies_free, also after a failure. */
StatusCode scaling_studies_find(const ScalingRun *runs, int count, ScalingStudies *studies, Status *status);
void scaling_studies_free(ScalingStudies *studies);

/* Whether two runs are of one configuration, sizes apart, and of one dataset, as far as they say. */
bool scaling_runs_comparable(const ScalingRun *a, const ScalingRun *b);

/* "training", "evaluation". */
const char *scaling_measure_name(ScalingMeasure measure);

#endif
