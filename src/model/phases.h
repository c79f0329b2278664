/* Where the time of a training goes, by phase and over the ranks: the table `phases` of the metrics. */
#ifndef PARDIGITS_MODEL_PHASES_H
#define PARDIGITS_MODEL_PHASES_H

#include "parallel/comm.h"
#include "store/metrics.h"

#include <stdint.h>

typedef enum {
    PHASE_COMPUTE,
    PHASE_WAIT,    /* for other ranks */
    PHASE_INPUT,   /* fetching, loading and augmenting images */
    PHASE_HIDDEN,  /* part of PHASE_COMPUTE: sums were under way between nodes */
    PHASE_EXPOSED, /* part of PHASE_WAIT: likewise */
    PHASE_VALIDATE,
    PHASE_CHECKPOINT,
    PHASES
} Phase;

/* Of a rank, in an epoch or the like. */
typedef struct {
    double seconds[PHASES];
} PhaseTimes;

enum { PHASE_COLUMNS = 7 };
extern const MetricsColumn phase_columns[PHASE_COLUMNS]; /* the first is `epoch` */

extern const char *const phase_names[PHASES];

/* Sums a column of the table, such as "max_s", over the rows of a phase. NaN if a row lacks it. */
double phases_sum(const MetricsTable *phases, Phase phase, const char *column);

/* Appends a row for each phase that any rank spent time in: minimum, median and maximum over the ranks, and
 * which ranks of the run have minimum and maximum. Collective: one small gathering. */
void phases_report(Metrics *metrics, const Comm *comm, int64_t part, const PhaseTimes *mine);

/* Takes the times of a training without epochs, round by round: a round ends with a save. Main thread. */
typedef struct {
    const Comm *comm;
    double since_s,
        waited_s;     /* up to when the phases are known, and what had been waited for others by then */
    PhaseTimes times; /* of this round */
} PhaseClock;

PhaseClock phase_clock_start(const Comm *comm);

/* Declares the table, whose first column is `round`, from 1. */
void phase_clock_table(Metrics *metrics);

/* What went by since the last call was this phase; in PHASE_COMPUTE but what was spent waiting for other
 * ranks, which is PHASE_WAIT. clock may be NULL. Not collective. */
void phase_clock_take(PhaseClock *clock, Phase phase);

/* Ends the round with its rows (phases_report). Returns this rank's seconds of computing, waiting and input
 * in it. Collective. */
double phase_clock_report(PhaseClock *clock, Metrics *metrics);

#endif
