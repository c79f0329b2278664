#include "svm/train_report.h"

#include "core/mem.h"
#include "model/validation.h"
#include "svm/grid.h"

static const MetricsColumn pair_columns[] = {
    {"class_a", METRICS_COUNT, ""},       {"class_b", METRICS_COUNT, ""},
    {"samples", METRICS_COUNT, ""},       {"support_vectors", METRICS_COUNT, ""},
    {"bounded", METRICS_COUNT, ""},       {"iterations", METRICS_COUNT, ""},
    {"objective", METRICS_REAL, ""},      {"seconds", METRICS_REAL, "s"},
    {"virtual", METRICS_COUNT, "pixels"},
};
enum { PAIR_COLUMNS = sizeof pair_columns / sizeof *pair_columns };

/* A checkpoint's pairs, and its stage. */
typedef struct {
    const SvmPairs *pairs;
    int shift_pixels;
} Resumed;

/* Whether a row of the metrics is of a pair that the checkpoint holds, or of an earlier stage: metrics are
 * written before the checkpoint, and have the rows of pairs that will be solved again. */
static bool is_of_checkpoint(const double *row, const void *context) {
    const Resumed *resumed = context;
    const int stage = (int)row[PAIR_COLUMNS - 1];
    if (stage != resumed->shift_pixels) return stage < resumed->shift_pixels;
    const int pair = svm_pair_number(resumed->pairs->classes, (int)row[0], (int)row[1]);
    return pair >= 0 && pair < resumed->pairs->count && resumed->pairs->items[pair].solved;
}

void svm_report_pairs(const SvmTask *task, const SvmPairs *pairs, const SvmPairFacts *facts) {
    const TrainJob *job = task->job;
    for (int p = 0; p < pairs->count; p++) {
        if (!pairs->items[p].solved || !facts[p].samples) continue;
        int a, b;
        svm_pair_classes(pairs->classes, p, &a, &b);
        const double row[PAIR_COLUMNS] = {a,
                                          b,
                                          (double)facts[p].samples,
                                          (double)pairs->items[p].support_count,
                                          (double)facts[p].bounded,
                                          (double)pairs->items[p].iterations,
                                          pairs->items[p].objective,
                                          facts[p].seconds,
                                          task->samples->shift_pixels};
        metrics_append(job->metrics, "pairs", row);
        if (!facts[p].converged)
            log_line(
                job->log,
                "svm: warning: %d against %d didn't converge in %lld steps; raise svm.eps or lower svm.c", a,
                b, (long long)pairs->items[p].iterations);
    }
}

void svm_report_round(const TrainJob *job) {
    phase_clock_take(job->phases, PHASE_COMPUTE);
    metrics_add(job->metrics, "train_s", phase_clock_report(job->phases, job->metrics));
}

void svm_report_validation(const TrainJob *job, const SvmModel *model) {
    const Context context = train_job_context(job);
    if (!job->valid.n) return;
    Prediction *predictions = mem_new((size_t)job->valid.n, sizeof *predictions);
    const double began_s = validation_begin(job);
    svm_model_predict(model, &context, &job->valid, (SvmPredictions){predictions, NULL, NULL});
    validation_end(job, began_s, predictions);
    mem_free(predictions);
}

void svm_report_begin(const SvmTask *task, const SvmPairs *pairs, int shift_pixels) {
    const TrainJob *job = task->job;
    const Resumed resumed = {pairs, shift_pixels};
    phase_clock_table(job->metrics);
    metrics_table(job->metrics, "pairs", pair_columns, PAIR_COLUMNS);
    if (job->resumed)
        metrics_filter(job->metrics, "pairs", is_of_checkpoint, &resumed);
    else
        metrics_cut(job->metrics, "pairs", 0);
    if (task->options.search) svm_grid_table(job);
}
