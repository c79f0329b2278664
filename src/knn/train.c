#include "knn/model.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/timer.h"
#include "data/shard.h"
#include "knn/cuts.h"
#include "model/run_options.h"
#include "model/train_job_save.h"
#include "model/validation.h"
#include "parallel/stop.h"

#include <string.h>

/* Images [own] from whoever read them; NULL: all ranks have their own. Collective. Freed by the caller. */
static uint8_t *images_of_part(const TrainJob *job, Range own) {
    const Range read = partition_range(job->train_count, comm_size(job->comm), comm_rank(job->comm));
    if (comm_max(job->comm, own.begin != read.begin || own.end != read.end, NULL) == 0) return NULL;
    ImageSet set = shard_fetch(job->comm, job->train_count, &job->shard, own);
    mem_free(set.labels);
    return set.images;
}

/* The trained model, which is what the ranks have in memory. */
static KnnModel model_of_shards(const TrainJob *job) {
    const KnnOptions options = knn_options(job->config);
    KnnModel model = {.method = knn_method(&options, job->spec),
                      .weighted = options.votes == KNN_VOTES_DISTANCE};
    const Range read = partition_range(job->train_count, comm_size(job->comm), comm_rank(job->comm));
    const int pixels = image_spec_pixels(job->spec);
    const int64_t k = model.method.k ? model.method.k : options.k_max + 1;
    model.method.pruned = knn_prunes(&options, job->train_count / comm_size(job->comm), pixels,
                                     model.method.candidates ? model.method.candidates : k);
    int64_t *cuts = knn_cuts_new(job->comm, job->train_count, &model.method,
                                 run_options(job->config).balance == RUN_BALANCE_SPEED, job->threads);
    const Range own = knn_cuts_own(cuts, job->comm);
    phase_clock_take(job->phases, PHASE_COMPUTE);
    model.images = images_of_part(job, own);
    phase_clock_take(job->phases, PHASE_INPUT);
    model.reference = knn_reference_new(job->comm, cuts, model.images ? model.images : job->shard.images,
                                        pixels, &model.method, job->threads);
    model.labels = mem_new((size_t)job->train_count, 1);
    memcpy(model.labels + read.begin, job->shard.labels, (size_t)range_size(read));
    comm_share_rows(job->comm, model.labels, job->train_count, 1);
    return model;
}

/* The best k, the smallest of equals; what each k reaches is a table of the metrics. */
static int64_t choose_k(const KnnTrials *trials, const TrainJob *job) {
    static const MetricsColumn columns[] = {
        {"k", METRICS_COUNT, ""}, {"correct", METRICS_COUNT, "images"}, {"accuracy", METRICS_REAL, ""}};
    const int64_t *right = trials->right;
    int64_t best = 1;
    metrics_table(job->metrics, "leave_one_out", columns, 3);
    metrics_cut(job->metrics, "leave_one_out", 0); /* of a run that was killed after it had written them */
    for (int64_t k = 1; k <= trials->k_max; k++) {
        if (right[k] > right[best]) best = k;
        metrics_append(job->metrics, "leave_one_out",
                       (double[]){(double)k, (double)right[k], (double)right[k] / (double)job->train_count});
    }
    log_line(job->log, "leave-one-out over k = 1 to %lld: k = %lld is the best, %lld of %lld correct",
             (long long)trials->k_max, (long long)best, (long long)right[best], (long long)job->train_count);
    metrics_set_count(job->metrics, "k", best);
    return best;
}

/* Ends a round; what it took counts as training where k is chosen. Collective. */
static void report_round(const TrainJob *job) {
    phase_clock_take(job->phases, PHASE_COMPUTE);
    const double trained_s = phase_clock_report(job->phases, job->metrics);
    if (knn_options(job->config).k == 0) metrics_add(job->metrics, "train_s", trained_s);
}

/* Tries all images, and saves at times what is done of that; false if a signal stopped it. Collective. */
static bool try_images(const KnnModel *model, const TrainJob *job, KnnTrials *trials) {
    const double every_s = (double)knn_options(job->config).checkpoint_s;
    bool stopped = false;
    while (!knn_leave_one_out(model, job, timer_now_s() + every_s, trials, &stopped) && !stopped) {
        knn_trials_checkpoint(job, trials);
        report_round(job);
        train_job_flush_metrics(job);
    }
    return trials->next >= job->train_count;
}

/* None, or those that the job goes on with. Their `right` is freed by the caller. Collective: ranks agree. */
static KnnTrials begin_trials(const TrainJob *job, Status *status) {
    const KnnOptions options = knn_options(job->config);
    const int64_t others = larger(job->train_count - 1, 1),
                  compared = knn_method(&options, job->spec).candidates;
    KnnTrials trials = {.k_max = smaller(options.k_max, compared ? smaller(compared, others) : others)};
    trials.right = mem_new((size_t)trials.k_max + 1, sizeof *trials.right);
    if (job->resume) knn_trials_read(job->resume, job->train_count, &trials, status);
    comm_agree(job->comm, status);
    return trials;
}

/* Chooses k by leave-one-out cross-validation; saves what it has when a signal stops it. */
static StatusCode find_k(KnnModel *model, const TrainJob *job, KnnTrials *trials, Status *status) {
    const bool tried = try_images(model, job, trials);
    if (tried) model->method.k = choose_k(trials, job);
    if (tried && job->valid.n > 0)
        knn_trials_checkpoint(job, trials); /* which the validation may be stopped after */
    if (!tried) report_round(job);
    if (!tried && !knn_model_save(job, 0, trials, status)) {
        status_set(status, STATUS_STOPPED,
                   "Stopped by %s with %lld of %lld images tried to choose k and saved in %s; run again with "
                   "--resume.",
                   stop_signal_name(), (long long)trials->next, (long long)job->train_count, job->model_path);
    }
    return status->code;
}

static void report_validation(const KnnModel *model, TrainJob *job) {
    const Context context = train_job_context(job);
    Prediction *out = mem_new((size_t)job->valid.n, sizeof *out);
    const double began_s = validation_begin(job);
    knn_model_predict(model, &context, &job->valid, out, NULL);
    validation_end(job, began_s, out);
    metrics_set_count(job->metrics, "compared", job->train_count);
    mem_free(out);
}

/* Where k is larger than the data bear. Collective. */
static void log_hints(const TrainJob *job) {
    const int64_t k = knn_options(job->config).k; /* 0: auto */
    uint64_t counts[CLASSES_MAX];
    char number[12];
    int least = -1;
    train_job_count_classes(job, counts);
    for (int c = 0; c < job->spec.classes; c++)
        if (counts[c] && (least < 0 || counts[c] < counts[least])) least = c;
    if (2 * k > job->train_count)
        log_line(job->log,
                 "hint: knn.k = %lld is more than half of the training images (%lld), so most of them vote "
                 "on every image; lower knn.k.",
                 (long long)k, (long long)job->train_count);
    else if (least >= 0 && k > (int64_t)counts[least])
        log_line(job->log,
                 "hint: knn.k = %lld is more than the training images of class %s (%lld), so others may "
                 "outvote it everywhere; lower knn.k.",
                 (long long)k, class_name(&job->class_names, least, number), (long long)counts[least]);
}

/* Whether the training searches. */
static bool needs_search(const TrainJob *job) {
    return knn_options(job->config).k == 0 || job->valid.n > 0;
}

StatusCode knn_rehearse(TrainJob *job, Output *output, int64_t *bytes, Status *status) {
    log_hints(job);
    KnnModel model = needs_search(job) ? model_of_shards(job) : (KnnModel){0};
    knn_model_free(&model);
    *bytes = 2 * job->train_count * image_spec_pixels(job->spec);
    output_integer(output, "images_per_rank", "reference images of rank 0", job->shard.n);
    return status->code;
}

/* With the run begun. */
static StatusCode train(TrainJob *job, KnnModel model, KnnTrials *trials, Status *status) {
    const bool is_auto = model.method.k == 0;
    PhaseClock clock = phase_clock_start(job->comm);
    phase_clock_table(job->metrics);
    job->phases = &clock;
    const double traced_s = trace_begin(trace_thread(job->trace, 0));
    progress_enter(comm_progress(job->comm), PROGRESS_INDEX, 0);
    if (needs_search(job)) model = model_of_shards(job);
    trace_end(trace_thread(job->trace, 0), TRACE_INDEX, traced_s, 0, 0);
    if (!is_auto || !find_k(&model, job, trials, status)) {
        if (job->valid.n > 0) {
            stop_exit_on_signal(train_job_resume_advice);
            report_validation(&model, job);
        }
        report_round(job);
        knn_model_save(job, model.method.k, NULL, status);
    }
    job->phases = NULL;
    knn_model_free(&model);
    return status->code;
}

/* To train is to keep the training images, and perhaps to choose k. */
StatusCode knn_train(TrainJob *job, Status *status) {
    if (job->train_count < 1)
        return status_set(status, STATUS_USAGE, "knn: no training images are left; lower run.valid.");
    const KnnOptions options = knn_options(job->config);
    const KnnModel model = {.method = knn_method(&options, job->spec)};
    KnnTrials trials = {0};
    log_hints(job);
    if (model.method.k == 0) trials = begin_trials(job, status);
    if (!status->code && !train_job_begin(job, status)) train(job, model, &trials, status);
    mem_free(trials.right);
    return status->code;
}
