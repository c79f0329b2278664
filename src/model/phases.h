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

/* Declares the table with another name for the first column. */
void phases_declare(Metrics *metrics, const char *part);

/* Appends a row for each phase that any rank spent time in: minimum, median and maximum over the ranks, and
 * which ranks have minimum and maximum. Collective: one small gathering. */
void phases_report(Metrics *metrics, const Comm *comm, int64_t part, const PhaseTimes *mine);

#endif
