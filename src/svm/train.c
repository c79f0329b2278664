#include "core/mem.h"
#include "core/timer.h"
#include "model/class_weights.h"
#include "model/train_job_save.h"
#include "parallel/stop.h"
#include "svm/grid.h"
#include "svm/hints.h"
#include "svm/solve_pairs.h"
#include "svm/train_report.h"

#include <float.h>
#include <math.h>

/* Kernel values are floats, and the solver multiplies them by each other and by C. */
#define LARGEST_KERNEL_VALUE 1e30

/* A bound on |(gamma u.v + coef0)^degree|, u.v lying between 0 and `largest`. */
static double poly_bound(const SvmKernel *kernel, double largest) {
    const double top = kernel->gamma * (kernel->normalize ? 1 : largest) + kernel->coef0;
    return pow(fmax(fabs(kernel->coef0), fabs(top)), kernel->degree);
}

/* The largest squared norm of a sample, whose pixels are in [0,1]. */
static double largest_norm(const ImageSet *set) {
    const int each = image_spec_pixels(set->spec);
    const uint8_t *pixels = set->images;
    double largest = 0;
    for (int64_t i = 0; i < set->n; i++, pixels += each) {
        int64_t norm = 0;
        for (int p = 0; p < each; p++)
            norm += pixels[p] * pixels[p];
        largest = fmax(largest, (double)norm);
    }
    return largest / (255.0 * 255.0);
}

/* Whether the kernel's values are within bounds: in training those of the samples with each other, and, as
 * floats, those of any image with a sample. */
static bool is_bounded(const SvmTask *task) {
    if (task->kernel.type != SVM_POLY) return true;
    const double norm = largest_norm(&task->samples->set), white = image_spec_pixels(task->samples->set.spec);
    return poly_bound(&task->kernel, norm) < LARGEST_KERNEL_VALUE &&
           poly_bound(&task->kernel, sqrt(norm * white)) < FLT_MAX;
}

StatusCode svm_check_classes(int64_t images, int classes, Status *status) {
    if (classes < 2)
        status_set(status, STATUS_FAILED,
                   "The %lld training images hold %d class, and an SVM needs at least two; use more images "
                   "(run.train, run.valid).",
                   (long long)images, classes);
    return status->code;
}

/* What can't be trained: the same verdict on every rank. */
static StatusCode check_task(const SvmTask *task, Status *status) {
    const ImageSet *set = &task->samples->set;
    int classes = 0;
    for (int c = 0; c < task->class_counts.classes; c++)
        classes += task->class_counts.of[c] > 0;
    if (svm_check_classes(set->n, classes, status)) return status->code;
    if (is_bounded(task)) return STATUS_OK;
    return status_set(
        status, STATUS_USAGE,
        "The polynomial kernel with gamma = %g grows beyond %g, or with images of brighter pixels beyond %g; "
        "lower gamma (svm.gamma, svm.grid_gamma), svm.coef0 or svm.degree.",
        task->kernel.gamma, LARGEST_KERNEL_VALUE, (double)FLT_MAX);
}

/* Turns rows of support vectors into numbers of samples. */
static StatusCode renumber(const TrainJob *job, const SvmModel *model, const SvmSamples *samples,
                           SvmPair *pair, Status *status) {
    for (int64_t s = 0; s < pair->support_count; s++) {
        int64_t number = svm_sample_number(samples, model->origin[pair->support[s]]);
        if (number < 0)
            return status_set(status, STATUS_FAILED,
                              "%s was trained on other images than these %lld; it can't be resumed.",
                              h5_path(job->resume), (long long)job->train_count);
        pair->support[s] = (int32_t)number;
    }
    return STATUS_OK;
}

/* Whether what a checkpoint says about its virtual examples can be. */
static bool virtual_is_valid(const SvmModel *model, const SvmTask *task) {
    for (int64_t k = 0; k < model->from_count; k++)
        if (model->from[k] < 0 || model->from[k] >= task->job->train_count ||
            (k && model->from[k] <= model->from[k - 1]))
            return false;
    return model->shift_pixels == 0 || model->shift_pixels == task->options.virtual;
}

/* The pairs that a checkpoint holds, with samples as support; and its virtual examples, if it has come to
 * those; and the C and gamma of its search. Collective. */
static StatusCode resume_pairs(SvmTask *task, const SvmTrainImages *train, SvmSamples *shifted,
                               SvmPairs *pairs, Status *status) {
    const TrainJob *job = task->job;
    SvmModel *model = NULL;
    if (svm_model_read(&model, job->resume, job->config, job->spec, status) == STATUS_OK) {
        if (!virtual_is_valid(model, task))
            status_set(status, STATUS_FAILED, "%s has virtual examples that don't fit; it can't be resumed.",
                       h5_path(job->resume));
        else if (model->shift_pixels)
            *shifted = svm_samples_shifted(&train->images, model->from, model->from_count,
                                           model->shift_pixels, train->plain.gradient, job->threads);
        for (int p = 0; p < pairs->count && status->code == STATUS_OK; p++) {
            pairs->items[p] = model->pairs.items[p];
            model->pairs.items[p] = (SvmPair){0};
            renumber(job, model, model->shift_pixels ? shifted : &train->plain, &pairs->items[p], status);
        }
        task->searched = model->searched;
        if (model->searched) task->c = model->c;
        task->kernel = model->kernel;
        svm_model_destroy(&model);
    }
    return comm_agree(job->comm, status);
}

/* A round: solves until all pairs are solved, or it is time to save, or a signal came; shares what was solved
 * and reports it. Returns whether there was a signal. */
static bool solve_round(SvmTask *task, SvmPairs *pairs) {
    SvmPairFacts *facts = mem_new((size_t)pairs->count, sizeof *facts);
    task->plan = svm_plan(&task->class_counts, pairs, comm_size(task->job->comm), task->options.shard);
    bool stopped = svm_solve_pairs(task, pairs, facts);
    const double traced_s = trace_begin(trace_thread(task->job->trace, 0));
    progress_enter(comm_progress(task->job->comm), PROGRESS_SHARING, 0);
    svm_share_pairs(task, pairs, facts);
    trace_end(trace_thread(task->job->trace, 0), TRACE_SHARE, traced_s, 0, 0);
    svm_report_pairs(task, pairs, facts);
    svm_plan_free(&task->plan);
    mem_free(facts);
    return stopped;
}

/* Saves, and after the last round of a stage says how good it is. */
static StatusCode save(const SvmTask *task, const SvmPairs *pairs, int all, bool stopped, double start_s,
                       Status *status) {
    const TrainJob *job = task->job;
    int solved = svm_pairs_solved(pairs);
    SvmModel *model = svm_model_create(&task->kernel, task->present, pairs, task->samples);
    model->calibrated = task->calibrate;
    model->searched = task->searched;
    model->c = task->c;
    log_line(job->log, "svm: %d of %d class pairs solved, %lld support vectors, %.1f s", solved, all,
             (long long)model->n, timer_now_s() - start_s);
    const bool complete = solved == all && task->last_stage;
    const bool is_last = complete || stopped;
    train_job_flush_metrics(job);
    if (!is_last || (complete && job->valid.n > 0)) train_job_checkpoint(job, 0, svm_model_write, model);
    if (complete && !stopped && job->valid.n > 0) stop_exit_on_signal(train_job_resume_advice);
    if (solved == all) svm_report_validation(job, model);
    svm_report_round(job);
    if (!is_last) train_job_flush_metrics(job);
    if (is_last) train_job_save(job, complete, svm_model_write, model, status);
    svm_model_destroy(&model);
    return status->code;
}

/* Makes the task one of these samples. */
static StatusCode set_samples(SvmTask *task, const SvmSamples *samples, bool last_stage, Status *status) {
    task->samples = samples;
    task->last_stage = last_stage;
    task->calibrate = last_stage && task->options.probability;
    task->class_counts = (ClassCounts){.classes = samples->set.spec.classes};
    for (int64_t i = 0; i < samples->set.n; i++)
        task->class_counts.of[samples->set.labels[i]]++;
    for (int c = 0; c < task->class_counts.classes; c++)
        task->present[c] = task->class_counts.of[c] > 0;
    if (class_weights_read("svm.class_weights", task->options.class_weights, task->class_counts.classes,
                           task->class_counts.of, task->class_weights, status))
        return status->code;
    return check_task(task, status);
}

/* What is saved while a search isn't finished. */
typedef struct {
    const SvmModel *model; /* without pairs */
    const SvmVotes *votes;
} Searched;

static StatusCode write_searched(H5File *file, const void *context, Status *status) {
    const Searched *searched = context;
    if (svm_model_write(file, searched->model, status)) return status->code;
    return svm_votes_write(file, searched->votes, status);
}

/* How many parts of the search are done, and of how many, for `watch`. */
static void note_search(const SvmTask *task, int done) {
    metrics_set_count(task->job->metrics, "search_done", done);
    metrics_set_count(task->job->metrics, "search_parts", svm_grid_parts(task));
}

static StatusCode save_search(const SvmTask *task, const SvmVotes *votes, bool stopped, Status *status) {
    const TrainJob *job = task->job;
    SvmPairs none = svm_pairs_new(task->class_counts.classes);
    SvmModel *model = svm_model_create(&task->kernel, task->present, &none, task->samples);
    const Searched searched = {model, votes};
    log_line(job->log, "svm: search: %d of %d parts done", svm_votes_parts(votes), svm_grid_parts(task));
    note_search(task, svm_votes_parts(votes));
    if (!stopped) train_job_checkpoint(job, 0, write_searched, &searched);
    svm_report_round(job);
    train_job_flush_metrics(job);
    if (stopped) train_job_save(job, false, write_searched, &searched, status);
    svm_model_destroy(&model);
    svm_pairs_free(&none);
    return status->code;
}

/* Has all parts vote; saves when some are missing. */
static StatusCode run_search(const SvmTask *task, const SvmGrid *grid, SvmVotes *votes, Status *status) {
    const int all = svm_grid_parts(task);
    bool stopped = false;
    while (svm_votes_parts(votes) < all && !stopped && !status->code) {
        stopped = svm_grid_round(task, grid, votes);
        if (svm_votes_parts(votes) < all) save_search(task, votes, stopped, status);
    }
    if (svm_votes_parts(votes) < all && !status->code)
        status_set(
            status, STATUS_STOPPED,
            "Stopped by %s with %d of %d parts of the search for C and gamma done and saved in %s; run "
            "again with --resume.",
            stop_signal_name(), svm_votes_parts(votes), all, task->job->model_path);
    return status->code;
}

/* A search for C and gamma, if that is wanted and wasn't done before. */
typedef struct {
    bool wanted;
    SvmGrid grid;
    SvmVotes votes; /* freed by the caller */
} Search;

/* With the votes that the job goes on with. Collective: ranks agree. */
static StatusCode begin_search(SvmTask *task, Search *search, Status *status) {
    const TrainJob *job = task->job;
    const double gamma = task->kernel.gamma;
    search->wanted = !task->searched && task->options.search;
    if (!search->wanted) return STATUS_OK;
    if (svm_grid_read(&task->options, &search->grid, status)) return status->code;
    for (int g = 0; g < search->grid.gamma_count; g++) {
        task->kernel.gamma = search->grid.gamma[g];
        if (check_task(task, status)) return status->code;
    }
    task->kernel.gamma = gamma;
    search->votes = svm_grid_votes(task, &search->grid);
    if (job->resume) svm_votes_read(job->resume, &search->votes, status);
    return comm_agree(job->comm, status);
}

static StatusCode end_search(SvmTask *task, Search *search, Status *status) {
    if (search->wanted && !run_search(task, &search->grid, &search->votes, status))
        svm_grid_choose(task, &search->grid, &search->votes);
    if (search->wanted && !status->code) note_search(task, svm_grid_parts(task));
    return status->code;
}

/* The same verdict on every rank. */
static StatusCode check_numbers(const SvmTask *task, const SvmPairs *pairs, Status *status) {
    for (int p = 0; p < pairs->count; p++) {
        const SvmPair *pair = &pairs->items[p];
        int a, b;
        if (!pair->solved || (isfinite(pair->objective) && isfinite(pair->rho))) continue;
        svm_pair_classes(pairs->classes, p, &a, &b);
        return status_set(
            status, STATUS_FAILED,
            "The solution of class %d against %d is not finite: the kernel's values or svm.c = %g "
            "are too large; lower svm.c, svm.gamma, svm.coef0 or svm.degree. The last checkpoint, "
            "if there is one, is from before it.",
            a, b, task->c);
    }
    return STATUS_OK;
}

/* Solves and saves the pairs that aren't solved yet. */
static StatusCode train_stage(SvmTask *task, SvmPairs *pairs, Status *status) {
    double start_s = timer_now_s();
    const int all = svm_pairs_existing(pairs->classes, task->present);
    bool stopped = false;
    /* a run that was killed at its last save has all pairs, but isn't complete */
    if (svm_pairs_solved(pairs) == all && task->last_stage) save(task, pairs, all, false, start_s, status);
    while (!stopped && svm_pairs_solved(pairs) < all && !status->code) {
        stopped = solve_round(task, pairs);
        if (check_numbers(task, pairs, status)) break;
        save(task, pairs, all, stopped, start_s, status);
    }
    if (stopped && !status->code && !(svm_pairs_solved(pairs) == all && task->last_stage))
        status_set(status, STATUS_STOPPED,
                   "Stopped by %s with %d of %d class pairs solved and saved in %s; run "
                   "again with --resume.",
                   stop_signal_name(), svm_pairs_solved(pairs), all, task->job->model_path);
    return status->code;
}

/* The virtual examples of what supports the pairs. */
static SvmSamples make_virtual(const SvmTask *task, const ImageSet *train, const SvmPairs *pairs) {
    int64_t count;
    int32_t *from = svm_pairs_support(pairs, train->n, &count);
    SvmSamples samples =
        svm_samples_shifted(train, from, count, (int)task->options.virtual,
                            task->options.features == SVM_FEATURES_GRADIENT, task->job->threads);
    log_line(task->job->log, "svm: %lld support vectors make %lld virtual examples", (long long)count,
             (long long)samples.set.n);
    mem_free(from);
    return samples;
}

/* Begins the job; then searches, solves the pairs and, where virtual examples are wanted, solves them again
 * with those. shifted: the virtual examples of a job that has come to them, or else none yet. */
static StatusCode run_stages(SvmTask *task, TrainJob *job, const SvmTrainImages *train, SvmSamples *shifted,
                             SvmPairs *pairs, Status *status) {
    const bool shifts = task->options.virtual > 0, is_first_stage = !shifted->set.n;
    Search search = {0};
    if (!status->code && is_first_stage && !set_samples(task, &train->plain, !shifts, status))
        begin_search(task, &search, status);
    if (!status->code && !train_job_begin(job, status)) svm_report_begin(task, pairs, shifted->shift_pixels);
    if (!status->code && is_first_stage) {
        if (!end_search(task, &search, status)) train_stage(task, pairs, status);
        if (!status->code && shifts) {
            *shifted = make_virtual(task, &train->images, pairs);
            svm_pairs_clear(pairs);
        }
    }
    if (!status->code && shifts && !set_samples(task, shifted, true, status))
        train_stage(task, pairs, status);
    svm_votes_free(&search.votes);
    return status->code;
}

StatusCode svm_train(TrainJob *job, Status *status) {
    if (job->train_count > INT32_MAX)
        return status_set(status, STATUS_USAGE,
                          "svm: %lld training images are too many; %d is the most (run.train).",
                          (long long)job->train_count, INT32_MAX);
    const SvmOptions options = svm_options(job->config);
    const bool shifts = options.virtual > 0;
    SvmTask task = {.job = job, .options = options, .kernel = svm_options_kernel(&options), .c = options.c};
    PhaseClock clock = phase_clock_start(job->comm);
    job->phases = &clock;
    const double traced_s = trace_begin(trace_thread(job->trace, 0));
    const bool gradient = options.features == SVM_FEATURES_GRADIENT;
    SvmTrainImages train =
        svm_train_images_gather(job->comm, job->train_count, &job->shard, gradient, shifts, job->threads);
    phase_clock_take(job->phases, PHASE_INPUT);
    trace_end(trace_thread(job->trace, 0), TRACE_FETCH, traced_s, 0, 0);
    svm_log_hints(&options, &train.plain.set, job->log);
    SvmPairs pairs = svm_pairs_new(job->spec.classes);
    SvmSamples shifted = {0};
    if (job->resume) resume_pairs(&task, &train, &shifted, &pairs, status);
    run_stages(&task, job, &train, &shifted, &pairs, status);
    job->phases = NULL;
    svm_pairs_free(&pairs);
    svm_samples_free(&shifted);
    svm_train_images_free(&train);
    return status->code;
}
