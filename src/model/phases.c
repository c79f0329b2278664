#include "model/phases.h"

#include "core/mem.h"
#include "core/timer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char table_name[] = "phases";

const char *const phase_names[PHASES] = {"compute",        "wait",     "input",     "reduce_hidden",
                                         "reduce_exposed", "validate", "checkpoint"};

const MetricsColumn phase_columns[PHASE_COLUMNS] = {
    {"epoch", METRICS_COUNT, ""},    {"phase", METRICS_WORD, ""},  {"min_s", METRICS_REAL, "s"},
    {"median_s", METRICS_REAL, "s"}, {"max_s", METRICS_REAL, "s"}, {"min_rank", METRICS_COUNT, ""},
    {"max_rank", METRICS_COUNT, ""},
};

double phases_sum(const MetricsTable *phases, Phase phase, const char *column) {
    const int name = metrics_column(phases, "phase"), c = metrics_column(phases, column);
    double sum = 0;
    for (int64_t i = 0; i < phases->rows && name >= 0; i++) {
        const char *word = metrics_table_word(phases, i, name);
        if (word && !strcmp(word, phase_names[phase]))
            sum += c < 0 ? NAN : phases->values[i * phases->columns + c];
    }
    return sum;
}

typedef struct {
    double seconds;
    int rank;
} RankTime;

/* Of equal times the lower rank comes first. */
static int compare_times(const void *left, const void *right) {
    const RankTime *a = left, *b = right;
    if (a->seconds != b->seconds) return a->seconds < b->seconds ? -1 : 1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* Sorts the times [ranks]. */
static void append_phase(Metrics *metrics, int64_t part, int phase, RankTime *times, int ranks) {
    qsort(times, (size_t)ranks, sizeof *times, compare_times);
    const RankTime least = times[0], most = times[ranks - 1];
    const double median = (times[(ranks - 1) / 2].seconds + times[ranks / 2].seconds) / 2;
    if (most.seconds == 0) return;
    metrics_append(metrics, table_name,
                   (double[PHASE_COLUMNS]){(double)part, metrics_word(metrics, phase_names[phase]),
                                           least.seconds, median, most.seconds, least.rank, most.rank});
}

/* What a rank sends. */
typedef struct {
    PhaseTimes times;
    int rank; /* among all ranks of the run: those of comm may be a group of them */
} RankTimes;

void phases_report(Metrics *metrics, const Comm *comm, int64_t part, const PhaseTimes *mine) {
    const int ranks = comm_size(comm);
    const RankTimes own = {*mine, comm_rank_of_all(comm)};
    RankTimes *all = mem_new((size_t)ranks, sizeof *all);
    RankTime *times = mem_new((size_t)ranks, sizeof *times);
    comm_gather(comm, &own, sizeof own, all);
    for (int phase = 0; metrics && phase < PHASES; phase++) {
        for (int r = 0; r < ranks; r++)
            times[r] = (RankTime){all[r].times.seconds[phase], all[r].rank};
        append_phase(metrics, part, phase, times, ranks);
    }
    mem_free(times);
    mem_free(all);
}

PhaseClock phase_clock_start(const Comm *comm) {
    return (PhaseClock){comm, timer_now_s(), progress_waited_s(comm_progress(comm)), {{0}}};
}

void phase_clock_table(Metrics *metrics) {
    MetricsColumn columns[PHASE_COLUMNS];
    memcpy(columns, phase_columns, sizeof columns);
    columns[0].name = "round";
    metrics_table(metrics, table_name, columns, PHASE_COLUMNS);
}

void phase_clock_take(PhaseClock *clock, Phase phase) {
    if (!clock) return;
    const double now_s = timer_now_s(), all_waited_s = progress_waited_s(comm_progress(clock->comm));
    const double waited_s = phase == PHASE_COMPUTE ? all_waited_s - clock->waited_s : 0;
    clock->times.seconds[phase] += now_s - clock->since_s - waited_s;
    clock->times.seconds[PHASE_WAIT] += waited_s;
    clock->since_s = now_s;
    clock->waited_s = all_waited_s;
}

double phase_clock_report(PhaseClock *clock, Metrics *metrics) {
    const double *seconds = clock->times.seconds;
    const double trained_s = seconds[PHASE_COMPUTE] + seconds[PHASE_WAIT] + seconds[PHASE_INPUT];
    phases_report(metrics, clock->comm, metrics ? (int64_t)metrics_last(metrics, table_name) + 1 : 0,
                  &clock->times);
    clock->times = (PhaseTimes){{0}};
    return trained_s;
}
