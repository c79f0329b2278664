#include "pardigits/checkpoint.h"
#include "pardigits/mem.h"
#include "pardigits/stop.h"
#include "pardigits/timer.h"
#include "solve_pairs.h"

#include <math.h>
#include <string.h>

/* A solved pair on its way to the other ranks; its support and coefficients follow. */
typedef struct {
    int64_t number, support_count, iterations;
    double rho, objective;
    SvmPairFacts facts;
} PairRecord;

static const MetricsColumn pair_columns[] = {
    {"class_a", true, ""}, {"class_b", true, ""},    {"samples", true, ""},    {"support_vectors", true, ""},
    {"bounded", true, ""}, {"iterations", true, ""}, {"objective", false, ""}, {"seconds", false, "s"},
};
enum { PAIR_COLUMNS = sizeof pair_columns / sizeof *pair_columns };

/* All training images on every rank. Collective; freed by image_set_free. */
static ImageSet gather_images(const TrainJob *job) {
    Range mine = partition_range(job->train_count, comm_size(job->comm), comm_rank(job->comm));
    ImageSet all = {job->train_count, mem_new((size_t)job->train_count, IMAGE_PIXELS),
                    mem_new((size_t)job->train_count, 1)};
    memcpy(all.images + mine.begin * IMAGE_PIXELS, job->shard.images,
           (size_t)range_size(mine) * IMAGE_PIXELS);
    memcpy(all.labels + mine.begin, job->shard.labels, (size_t)range_size(mine));
    comm_share_rows(job->comm, all.images, all.n, IMAGE_PIXELS);
    comm_share_rows(job->comm, all.labels, all.n, 1);
    return all;
}

/* Kernel values are floats, and the solver multiplies them by each other and by C. */
#define LARGEST_KERNEL_VALUE 1e30

/* A bound on |(gamma u.v + coef0)^degree|: u.v lies between 0 and the largest squared norm. */
static double largest_poly_value(const SvmTask *task) {
    const uint8_t *pixels = task->train->images;
    double largest = 0, scale = task->kernel.gamma / (255.0 * 255.0), coef0 = task->kernel.coef0;
    for (int64_t i = 0; i < task->train->n; i++, pixels += IMAGE_PIXELS) {
        int64_t norm = 0;
        for (int p = 0; p < IMAGE_PIXELS; p++)
            norm += pixels[p] * pixels[p];
        largest = fmax(largest, (double)norm);
    }
    return pow(fmax(fabs(coef0), fabs(scale * largest + coef0)), task->kernel.degree);
}

/* What can't be trained: the same verdict on every rank. */
static StatusCode check_task(const SvmTask *task, Status *status) {
    const ImageSet *train = task->train;
    int classes = 0;
    for (int c = 0; c < CLASSES; c++)
        classes += task->class_counts[c] > 0;
    if (classes < 2)
        return status_set(
            status, STATUS_FAILED,
            "The %lld training images hold %d kind of digit, and an SVM needs at least two; use more "
            "images (run.train, run.valid).",
            (long long)train->n, classes);
    if (task->kernel.type != SVM_POLY || largest_poly_value(task) < LARGEST_KERNEL_VALUE) return STATUS_OK;
    return status_set(status, STATUS_USAGE,
                      "The polynomial kernel grows beyond %g; lower svm.gamma, svm.coef0 or svm.degree.",
                      LARGEST_KERNEL_VALUE);
}

/* The pairs that a checkpoint holds, with training images as support. */
static StatusCode resume_pairs(const TrainJob *job, SvmPair pairs[SVM_PAIRS], Status *status) {
    SvmModel *model = NULL;
    if (svm_model_read(&model, job->resume, job->config, status) == STATUS_OK) {
        if (model->n && model->index[model->n - 1] >= job->train_count)
            status_set(status, STATUS_FAILED,
                       "%s was trained on more than these %lld images; it can't be resumed.",
                       h5_path(job->resume), (long long)job->train_count);
        for (int p = 0; p < SVM_PAIRS && status->code == STATUS_OK; p++) {
            pairs[p] = model->pairs[p];
            model->pairs[p] = (SvmPair){0};
            for (int64_t s = 0; s < pairs[p].support_count; s++)
                pairs[p].support[s] = model->index[pairs[p].support[s]];
        }
        svm_model_destroy(&model);
    }
    return comm_agree(job->comm, status);
}

static char *append(char *at, const void *data, size_t bytes) {
    memcpy(at, data, bytes);
    return at + bytes;
}

static const char *take(const char *at, void *data, size_t bytes) {
    memcpy(data, at, bytes);
    return at + bytes;
}

/* This rank's newly solved pairs as bytes; freed by the caller. */
static char *pack_pairs(const SvmTask *task, const SvmPair *pairs, const SvmPairFacts *facts,
                        int64_t *bytes) {
    int64_t total = 0;
    for (int p = 0; p < SVM_PAIRS; p++)
        total += (int64_t)sizeof(PairRecord) + 12 * pairs[p].support_count;
    char *packed = mem_new((size_t)total, 1), *at = packed;
    for (int k = 0; k < task->plan.count; k++) {
        int p = task->plan.pair[k];
        const SvmPair *pair = &pairs[p];
        if (task->plan.rank[k] != comm_rank(task->job->comm) || !pair->solved) continue;
        PairRecord record = {p, pair->support_count, pair->iterations, pair->rho, pair->objective, facts[p]};
        at = append(at, &record, sizeof record);
        at = append(at, pair->support, (size_t)pair->support_count * sizeof *pair->support);
        at = append(at, pair->coefficient, (size_t)pair->support_count * sizeof *pair->coefficient);
    }
    *bytes = at - packed;
    return packed;
}

/* Every rank's newly solved pairs on every rank. Collective. */
static void gather_pairs(const SvmTask *task, SvmPair pairs[SVM_PAIRS], SvmPairFacts facts[SVM_PAIRS]) {
    int64_t bytes, total;
    char *mine = pack_pairs(task, pairs, facts, &bytes);
    char *all = comm_gather_bytes(task->job->comm, mine, bytes, &total);
    for (const char *at = all; at < all + total;) {
        PairRecord record;
        at = take(at, &record, sizeof record);
        SvmPair *pair = &pairs[record.number];
        mem_free(pair->support);
        mem_free(pair->coefficient);
        *pair = (SvmPair){.solved = true, .support_count = record.support_count, .rho = record.rho};
        pair->objective = record.objective;
        pair->iterations = record.iterations;
        pair->support = mem_new((size_t)pair->support_count, sizeof *pair->support);
        pair->coefficient = mem_new((size_t)pair->support_count, sizeof *pair->coefficient);
        at = take(at, pair->support, (size_t)pair->support_count * sizeof *pair->support);
        at = take(at, pair->coefficient, (size_t)pair->support_count * sizeof *pair->coefficient);
        facts[record.number] = record.facts;
    }
    mem_free(all);
    mem_free(mine);
}

/* Rows of the metrics for the pairs solved now, and warnings. */
static void report_pairs(const SvmTask *task, const SvmPair *pairs, const SvmPairFacts *facts) {
    const TrainJob *job = task->job;
    metrics_table(job->metrics, "pairs", pair_columns, PAIR_COLUMNS);
    if (!job->resume) metrics_cut(job->metrics, "pairs", 0);
    for (int p = 0; p < SVM_PAIRS; p++) {
        if (!pairs[p].solved || !facts[p].samples) continue;
        int a, b;
        svm_pair_classes(p, &a, &b);
        const double row[PAIR_COLUMNS] = {a,
                                          b,
                                          (double)facts[p].samples,
                                          (double)pairs[p].support_count,
                                          (double)facts[p].bounded,
                                          (double)pairs[p].iterations,
                                          pairs[p].objective,
                                          facts[p].seconds};
        metrics_append(job->metrics, "pairs", row);
        if (!facts[p].converged)
            log_line(
                job->log,
                "svm: warning: %d against %d didn't converge in %lld steps; raise svm.eps or lower svm.c", a,
                b, (long long)pairs[p].iterations);
    }
}

static void report_validation(const TrainJob *job, const SvmModel *model) {
    Prediction *predictions = mem_new((size_t)job->valid.n, sizeof *predictions);
    svm_model_predict(model, job->comm, job->threads, job->valid.images, job->valid.n, predictions);
    int64_t correct = 0;
    for (int64_t i = 0; i < job->valid.n; i++)
        correct += predictions[i].label == job->valid.labels[i];
    double accuracy = (double)correct / (double)job->valid.n;
    metrics_set(job->metrics, "valid_accuracy", accuracy);
    log_line(job->log, "svm: %.2f %% of %lld validation images correct", 100 * accuracy,
             (long long)job->valid.n);
    mem_free(predictions);
}

/* Solves what is missing and saves. */
static StatusCode train_and_save(SvmTask *task, SvmPair pairs[SVM_PAIRS], Status *status) {
    const TrainJob *job = task->job;
    double start_s = timer_now_s();
    bool present[CLASSES];
    SvmPairFacts facts[SVM_PAIRS] = {0};
    for (int c = 0; c < CLASSES; c++)
        present[c] = task->class_counts[c] > 0;
    task->plan = svm_plan(task->class_counts, pairs, comm_size(job->comm));
    int all = svm_pairs_solved(pairs) + task->plan.count;
    svm_solve_pairs(task, pairs, facts);
    gather_pairs(task, pairs, facts);
    int solved = svm_pairs_solved(pairs);
    SvmModel *model = svm_model_create(&task->kernel, present, pairs, task->train);
    report_pairs(task, pairs, facts);
    log_line(job->log, "svm: %d of %d class pairs solved, %lld support vectors, %.1f s", solved, all,
             (long long)model->n, timer_now_s() - start_s);
    if (checkpoint_save(job->model_path, job->comm, job->config, solved == all, svm_model_write, model,
                        status) == STATUS_OK) {
        if (solved < all)
            status_set(status, STATUS_STOPPED,
                       "Stopped by %s with %d of %d class pairs solved and saved in %s; run "
                       "again with --resume.",
                       stop_signal_name(), solved, all, job->model_path);
        else if (job->valid.n)
            report_validation(job, model);
    }
    svm_model_destroy(&model);
    return status->code;
}

StatusCode svm_train(TrainJob *job, Status *status) {
    SvmPair pairs[SVM_PAIRS] = {0};
    ImageSet train = gather_images(job);
    SvmTask task = {.job = job, .train = &train, .kernel = svm_config_kernel(job->config)};
    for (int64_t i = 0; i < train.n; i++)
        task.class_counts[train.labels[i]]++;
    check_task(&task, status);
    if (status->code == STATUS_OK && job->resume) resume_pairs(job, pairs, status);
    if (status->code == STATUS_OK) train_and_save(&task, pairs, status);
    svm_pairs_free(pairs);
    image_set_free(&train);
    return status->code;
}
