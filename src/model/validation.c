#include "model/validation.h"

#include "core/timer.h"
#include "model/confusion.h"

double validation_begin(const TrainJob *job) {
    phase_clock_take(job->phases, PHASE_COMPUTE);
    const double began_s = timer_now_s();
    progress_enter(comm_progress(job->comm), PROGRESS_VALIDATION, 0);
    return began_s;
}

void validation_end(const TrainJob *job, double began_s, const Prediction *predictions) {
    const int64_t n = job->valid.n;
    metrics_set(job->metrics, "valid_s", timer_now_s() - began_s);
    phase_clock_take(job->phases, PHASE_VALIDATE);
    trace_end(trace_thread(job->trace, 0), TRACE_VALIDATE, began_s, 0, 0);
    const int64_t correct = count_correct(predictions, job->valid.labels, n);
    metrics_set(job->metrics, "valid_accuracy", (double)correct / (double)n);
    log_line(job->log, "validation: %lld of %lld correct", (long long)correct, (long long)n);
}
