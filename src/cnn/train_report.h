/* What a training tells while it runs: its metrics (the tables steps and epochs) and its log. */
#ifndef PARDIGITS_CNN_TRAIN_REPORT_H
#define PARDIGITS_CNN_TRAIN_REPORT_H

#include "cnn/state.h"
#include "cnn/train_step.h"
#include "cnn/validate.h"

#include "data/shard.h"
#include "model/train_job.h"

/* The tables of metrics. */
typedef struct {
    const char *name;
    const MetricsColumn *columns;
    int count;
} TrainTable;
enum { TRAIN_TABLES = 3 };
extern const TrainTable train_tables[TRAIN_TABLES];

typedef struct {
    const TrainJob *job;
    const BatchPartition *partition;
    int64_t epochs, steps;                       /* of the run; of an epoch */
    double started_s;                            /* this run of the program began to train */
    int64_t started_images;                      /* images that earlier runs trained on, epochs together */
    double epoch_s;                              /* training time of this epoch, in this run */
    double wait_s, input_s, reduce_s, exposed_s; /* of its steps, as in StepResult */
    int64_t epoch_images;                        /* images of this epoch, in this run */
} TrainReport;

enum { TRAIN_REPORT_TEXT = 400 };

/* Where the ranks' shares of a batch are more than 20 % above the mean, or some are empty: a sentence that
 * says so and what to set. False: they are even enough. */
bool train_report_uneven_shares(const BatchPartition *partition, char text[TRAIN_REPORT_TEXT]);

/* Opens the tables where the state is, cutting off rows beyond it, and says it where shares are uneven. */
TrainReport train_report_begin(const TrainJob *job, const BatchPartition *partition, int64_t epochs,
                               const TrainState *state);

/* An epoch begins, or is continued. */
void train_report_epoch_begin(TrainReport *report);

/* Fetching samples for further steps took so long. */
void train_report_input(TrainReport *report, double input_s);

/* A step of so many samples and seconds led to this state. */
void train_report_step(TrainReport *report, const TrainState *state, double lr, int64_t samples,
                       double seconds, const StepResult *result);

/* All steps of the state's epoch are done. */
void train_report_epoch_end(const TrainReport *report, const TrainState *state, Validation valid);

/* Where the time of the epoch before the state's went, validating and saving after it included. Collective.
 */
void train_report_phases(const TrainReport *report, const TrainState *state, double validate_s,
                         double checkpoint_s);

#endif
