#include "cnn/train_report.h"

#include "core/integers.h"
#include "core/timer.h"

#include <math.h>
#include <stdio.h>

/* Steps and epochs count from 1; a row says how far its step or epoch brought the run. seconds is made up of
 * input_s (loading and augmenting samples, of an epoch also fetching them from other ranks), wait_s (waiting
 * for other ranks after the own micro-batches were done) and compute_s (the rest): all of rank 0's main
 * thread. Beside them reduce_s (sums were under way between nodes) and its part exposed_s (not hidden behind
 * compute_s). */
static const MetricsColumn step_columns[] = {
    {"step", METRICS_COUNT, ""},      {"epoch", METRICS_COUNT, ""},   {"lr", METRICS_REAL, ""},
    {"loss", METRICS_REAL, "nats"},   {"seconds", METRICS_REAL, "s"}, {"compute_s", METRICS_REAL, "s"},
    {"wait_s", METRICS_REAL, "s"},    {"input_s", METRICS_REAL, "s"}, {"reduce_s", METRICS_REAL, "s"},
    {"exposed_s", METRICS_REAL, "s"},
};
/* seconds and images_per_s are of training alone, validation apart. */
static const MetricsColumn epoch_columns[] = {
    {"epoch", METRICS_COUNT, ""},          {"train_loss", METRICS_REAL, "nats"},
    {"train_accuracy", METRICS_REAL, ""},  {"valid_accuracy", METRICS_REAL, ""},
    {"valid_loss", METRICS_REAL, "nats"},  {"seconds", METRICS_REAL, "s"},
    {"images_per_s", METRICS_REAL, "1/s"}, {"compute_s", METRICS_REAL, "s"},
    {"wait_s", METRICS_REAL, "s"},         {"input_s", METRICS_REAL, "s"},
    {"reduce_s", METRICS_REAL, "s"},       {"exposed_s", METRICS_REAL, "s"},
};

const TrainTable train_tables[TRAIN_TABLES] = {
    {"steps", step_columns, sizeof step_columns / sizeof *step_columns},
    {"epochs", epoch_columns, sizeof epoch_columns / sizeof *epoch_columns},
    {"phases", phase_columns, PHASE_COLUMNS},
};

static void open_tables(const TrainReport *report, const TrainState *state) {
    Metrics *metrics = report->job->metrics;
    for (int t = 0; t < TRAIN_TABLES; t++)
        metrics_table(metrics, train_tables[t].name, train_tables[t].columns, train_tables[t].count);
    metrics_cut(metrics, "steps", (double)(state->epoch * report->steps + state->step + 1));
    metrics_cut(metrics, "epochs", (double)(state->epoch + 1));
    metrics_cut(metrics, "phases", (double)(state->epoch + 1));
}

/* Images trained on since the very start. */
static int64_t images_done(const TrainReport *report, const TrainState *state) {
    return state->epoch * report->partition->samples +
           epoch_step_positions(report->partition, state->step).begin;
}

/* Whether so many micro-batches are uneven: the largest share is more than 1.2 times the mean. */
static bool is_uneven(int64_t micro_batches, int ranks) {
    return micro_batches < ranks || 5 * divide_up(micro_batches, ranks) * ranks > 6 * micro_batches;
}

/* The largest smaller micro-batch whose shares aren't uneven; 0: there is none. */
static int64_t even_micro_batch(const BatchPartition *partition, int64_t batch) {
    int64_t images = partition->micro_batch / 2;
    while (images > 0 && is_uneven(divide_up(batch, images), partition->ranks))
        images /= 2;
    return images;
}

/* What to set against uneven shares of a batch. A batch can't be larger than the data. */
static void advise_shares(const BatchPartition *partition, int64_t batch, char *text, size_t size) {
    const int64_t ranks = partition->ranks, images = even_micro_batch(partition, batch);
    const int64_t unit = ranks * partition->micro_batch, even_batch = divide_up(batch, unit) * unit;
    const bool fits = even_batch <= partition->samples;
    if (!images && !fits) {
        snprintf(text, size, "use fewer ranks");
        return;
    }
    const bool is_even = images && divide_up(batch, images) % ranks == 0;
    char micro_batch[80] = "", whole[80] = "";
    if (images)
        snprintf(micro_batch, sizeof micro_batch, "cnn.micro_batch = %lld (%seven shares)", (long long)images,
                 is_even ? "" : "nearly ");
    if (fits) snprintf(whole, sizeof whole, "cnn.batch = %lld (even shares)", (long long)even_batch);
    snprintf(text, size, "set %s%s%s", micro_batch, images && fits ? " or " : "", whole);
}

bool train_report_uneven_shares(const BatchPartition *partition, char text[TRAIN_REPORT_TEXT]) {
    const int64_t batch = smaller(partition->batch, partition->samples), images = partition->micro_batch;
    const int64_t micro_batches = divide_up(batch, images), ranks = partition->ranks;
    if (!is_uneven(micro_batches, partition->ranks)) return false;
    char what[100], advice[180];
    if (micro_batches < ranks)
        snprintf(what, sizeof what, "%lld of %lld ranks have nothing to do",
                 (long long)(ranks - micro_batches), (long long)ranks);
    else
        snprintf(what, sizeof what, "the largest share of %lld ranks is %.0f %% above the mean",
                 (long long)ranks,
                 100.0 * (double)(divide_up(micro_batches, ranks) * ranks - micro_batches) /
                     (double)micro_batches);
    advise_shares(partition, batch, advice, sizeof advice);
    snprintf(text, TRAIN_REPORT_TEXT,
             "A batch of %lld images makes %lld micro-batch%s of cnn.micro_batch = %lld images, so %s; %s.",
             (long long)batch, (long long)micro_batches, micro_batches == 1 ? "" : "es", (long long)images,
             what, advice);
    return true;
}

TrainReport train_report_begin(const TrainJob *job, const BatchPartition *partition, int64_t epochs,
                               const TrainState *state) {
    TrainReport report = {
        .job = job, .partition = partition, .epochs = epochs, .steps = epoch_steps(partition)};
    open_tables(&report, state);
    char text[TRAIN_REPORT_TEXT];
    if (train_report_uneven_shares(partition, text)) log_line(job->log, "%s", text);
    report.started_s = timer_now_s();
    report.started_images = images_done(&report, state);
    return report;
}

void train_report_epoch_begin(TrainReport *report) {
    report->epoch_s = report->input_s = report->wait_s = report->reduce_s = report->exposed_s = 0;
    report->epoch_images = 0;
}

void train_report_input(TrainReport *report, double input_s) {
    report->epoch_s += input_s;
    report->input_s += input_s;
}

static void show_progress(const TrainReport *report, const TrainState *state) {
    const int64_t images = images_done(report, state), all = report->epochs * report->partition->samples;
    const double passed_s = timer_now_s() - report->started_s;
    const double left_s = passed_s * (double)(all - images) / (double)(images - report->started_images);
    log_progress(report->job->log, "epoch %lld/%lld: %lld/%lld images, %.0f images/s, %.0f s left",
                 (long long)state->epoch + 1, (long long)report->epochs,
                 (long long)(images - state->epoch * report->partition->samples),
                 (long long)report->partition->samples, (double)report->epoch_images / report->epoch_s,
                 left_s);
}

void train_report_step(TrainReport *report, const TrainState *state, double lr, int64_t samples,
                       double seconds, const StepResult *result) {
    report->epoch_s += seconds;
    report->wait_s += result->wait_s;
    report->input_s += result->input_s;
    report->reduce_s += result->reduce_s;
    report->exposed_s += result->exposed_s;
    report->epoch_images += samples;
    metrics_append(report->job->metrics, "steps",
                   (double[]){(double)(state->epoch * report->steps + state->step), (double)state->epoch + 1,
                              lr, result->loss_sum / (double)samples, seconds,
                              seconds - result->wait_s - result->input_s, result->wait_s, result->input_s,
                              result->reduce_s, result->exposed_s});
    show_progress(report, state);
}

void train_report_epoch_end(const TrainReport *report, const TrainState *state, Validation valid) {
    const double n = (double)report->partition->samples, loss = state->loss_sum / n,
                 accuracy = (double)state->correct / n;
    /* a run that stopped after the last step has nothing of the epoch left to time when it goes on */
    const bool timed = report->epoch_images > 0;
    const double images_per_s = timed ? (double)report->epoch_images / report->epoch_s : NAN;
    metrics_append(report->job->metrics, "epochs",
                   (double[]){(double)state->epoch + 1, loss, accuracy, valid.accuracy, valid.loss,
                              report->epoch_s, images_per_s,
                              report->epoch_s - report->wait_s - report->input_s, report->wait_s,
                              report->input_s, report->reduce_s, report->exposed_s});
    char validated[96] = "", speed[64] = "";
    if (!isnan(valid.accuracy))
        snprintf(validated, sizeof validated, ", validation accuracy %.2f %%, loss %.4f",
                 100 * valid.accuracy, valid.loss);
    if (timed) snprintf(speed, sizeof speed, ", %.1f s, %.0f images/s", report->epoch_s, images_per_s);
    log_line(report->job->log, "epoch %lld/%lld: loss %.4f, training accuracy %.2f %%%s%s",
             (long long)state->epoch + 1, (long long)report->epochs, loss, 100 * accuracy, validated, speed);
}

void train_report_phases(const TrainReport *report, const TrainState *state, double validate_s,
                         double checkpoint_s) {
    const PhaseTimes mine = {{
        [PHASE_COMPUTE] = report->epoch_s - report->wait_s - report->input_s,
        [PHASE_WAIT] = report->wait_s,
        [PHASE_INPUT] = report->input_s,
        [PHASE_HIDDEN] = report->reduce_s - report->exposed_s,
        [PHASE_EXPOSED] = report->exposed_s,
        [PHASE_VALIDATE] = validate_s,
        [PHASE_CHECKPOINT] = checkpoint_s,
    }};
    phases_report(report->job->metrics, report->job->comm, state->epoch, &mine);
}
