/* What a finished run's folder says for a comparison of speeds: the facts and tables of its metrics.h5. Not
 * collective. */
#ifndef PARDIGITS_REPORT_SCALING_RUN_H
#define PARDIGITS_REPORT_SCALING_RUN_H

#include "core/config.h"
#include "core/status.h"
#include "store/dataset.h"

#include <stdint.h>

/* What is timed: training, and the prediction of the held-out ones. */
typedef enum { SCALING_TRAINING, SCALING_EVALUATION, SCALING_MEASURES } ScalingMeasure;

/* Times and shares that a run doesn't have are NaN. */
typedef struct {
    char *path; /* as the user named it */
    Config *config;
    int64_t ranks, threads, hosts;
    char *host_names, *binding, *build;
    ImageSource source; /* of the dataset's training images; "": an older run doesn't say */
    int64_t images;     /* trained on */
    int64_t batch;      /* images of a step of a CNN; 0: the family has no steps */
    int64_t valid;      /* held-out images */
    int64_t compared;   /* images that each held-out one is compared with; 0: it isn't */
    int64_t passes; /* over the training images in seconds[SCALING_TRAINING]: of an ensemble all its epochs */
    /* [SCALING_MEASURES] Training: of a CNN the mean epoch, the first left out if there are others. */
    double seconds[SCALING_MEASURES];
    /* Of the seconds of training: wait_s and exposed_s of these epochs; of a family without epochs what the
     * median rank waits, as its phases say, and NaN. */
    double wait_share, exposed_share;
    double accuracy;   /* of validation, at the end */
    double accuracy_s; /* seconds of training until the accuracy that was asked for was reached */
} ScalingRun;

#define SCALING_ACCURACY 0.99 /* the one to be reached unless another is asked for */

/* Reads a run by its folder, or its metrics.h5. accuracy: the one to be reached, 0 to 1. Freed by
 * scaling_run_free, also after a failure. STATUS_FAILED: it is no run, has no metrics, or they are damaged;
 * STATUS_USAGE: it isn't finished, was resumed, or times nothing. */
StatusCode scaling_run_read(ScalingRun *run, const char *path, const ConfigTables *keys, double accuracy,
                            Status *status);
void scaling_run_free(ScalingRun *run);

/* Ranks x threads. */
static inline int64_t scaling_run_workers(const ScalingRun *run) {
    return run->ranks * run->threads;
}

#endif
