#include "svm/grid.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/timer.h"
#include "core/waiting.h"
#include "parallel/stop.h"
#include "parallel/task_queue.h"
#include "svm/gram_rows.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static StatusCode read_list(const char *name, const char *list, double *values, int *count, Status *status) {
    const char *at = list;
    char *end;
    for (*count = 0; *(at += strspn(at, " ,")); at = end) {
        double value = strtod(at, &end);
        if (end == at || !isfinite(value) || value <= 0 || *count == SVM_GRID_MOST)
            return status_set(status, STATUS_USAGE, "%s = %s: expected 1 to %d positive numbers.", name, list,
                              SVM_GRID_MOST);
        values[(*count)++] = value;
    }
    if (*count) return STATUS_OK;
    return status_set(status, STATUS_USAGE, "%s is empty: expected 1 to %d positive numbers.", name,
                      SVM_GRID_MOST);
}

StatusCode svm_grid_read(const SvmOptions *options, SvmGrid *grid, Status *status) {
    *grid = (SvmGrid){0};
    if (read_list("svm.grid_c", options->grid_c, grid->c, &grid->c_count, status)) return status->code;
    if (read_list("svm.grid_gamma", options->grid_gamma, grid->gamma, &grid->gamma_count, status))
        return status->code;
    if (options->kernel == SVM_LINEAR) grid->gamma_count = 1;
    return STATUS_OK;
}

/* A part: what separates two classes, trained without one fold. */
typedef struct {
    int pair, fold;
} Part;

typedef struct {
    const SvmTask *task;
    const SvmGrid *grid;
    int folds;
    Part *parts; /* [count] that haven't voted, the costliest first */
    int64_t count;
    TaskQueue *queue; /* of these */
    SvmVotes fresh;   /* of the parts that this rank has done */
    double start_s, round_s;
    StopWatch *watch;
    atomic_int working; /* threads */
    atomic_bool stop;
} Search;

SvmVotes svm_grid_votes(const SvmTask *task, const SvmGrid *grid) {
    return svm_votes_new(grid->c_count * grid->gamma_count, (int)task->options.folds,
                         task->class_counts.classes, task->samples->set.n);
}

int svm_grid_parts(const SvmTask *task) {
    return svm_pairs_existing(task->class_counts.classes, task->present) * (int)task->options.folds;
}

static bool interrupted(void *context) {
    Search *search = context;
    if (stop_signalled()) atomic_store(&search->stop, true);
    if (omp_get_thread_num() == 0) {
        if (stop_watch_poll(search->watch)) atomic_store(&search->stop, true);
        task_queue_poll(search->queue);
        log_progress(search->task->job->log, "svm: search: %lld of %lld parts begun",
                     (long long)task_queue_given(search->queue), (long long)search->count);
    }
    return atomic_load(&search->stop);
}

/* Images trained on and then those held out, of all classes. Freed by the caller. */
static int32_t *part_images(const Search *search, Part part, int8_t *y, int64_t *n, int64_t *held) {
    const ImageSet *set = &search->task->samples->set;
    int32_t *index = mem_new((size_t)set->n, sizeof *index);
    int a, b;
    svm_pair_classes(search->task->class_counts.classes, part.pair, &a, &b);
    *n = *held = 0;
    for (int side = 0; side < 2; side++)
        for (int64_t i = 0; i < set->n; i++)
            if (set->labels[i] == (side ? b : a) && i % search->folds != part.fold) {
                y[*n] = side ? -1 : 1;
                index[(*n)++] = (int32_t)i;
            }
    for (int64_t i = part.fold; i < set->n; i += search->folds)
        index[*n + (*held)++] = (int32_t)i;
    return index;
}

/* Trains one cell and tries it on the held-out images: first[k] tells whether image k is of the first class.
 * Returns false if it was interrupted. */
static bool try_cell(SvmProblem *problem, GramRows *rows, bool *first) {
    SvmSolution solution;
    if (!svm_solve(problem, &solution)) return false;
    double *decision = mem_new((size_t)rows->others, sizeof *decision);
    gram_rows_decide(rows, solution.coefficient, solution.rho, decision);
    for (int64_t k = 0; k < rows->others; k++)
        first[k] = decision[k] > 0;
    mem_free(decision);
    svm_solution_free(&solution);
    return true;
}

/* All cells, one behind the other in `first`: n images y are trained on, `held` ones behind them tried. */
static bool try_cells(Search *search, Part part, const int32_t *index, const int8_t *y, int64_t n,
                      int64_t held, bool *first) {
    int a, b;
    const double *weights = search->task->class_weights;
    svm_pair_classes(search->task->class_counts.classes, part.pair, &a, &b);
    const TrainJob *job = search->task->job;
    const SvmOptions *options = &search->task->options;
    const int64_t bytes = (options->cache_mb << 20) / (2 * job->threads);
    SvmKernel kernel = search->task->kernel;
    GramRows rows = gram_rows_new(&kernel, &search->task->samples->set, index, n, held, bytes);
    float *diagonal = mem_new((size_t)n, sizeof *diagonal);
    SvmProblem problem = {.n = n, .y = y, .diagonal = diagonal, .rows = gram_rows_source(&rows)};
    problem.eps = options->eps;
    problem.cache_bytes = bytes;
    problem.interrupted = interrupted;
    problem.interrupt_context = search;
    bool complete = true;
    for (int g = 0; g < search->grid->gamma_count && complete; g++) {
        kernel.gamma = search->grid->gamma[g];
        gram_rows_diagonal(&rows, diagonal);
        for (int c = 0; c < search->grid->c_count && complete; c++, first += held) {
            problem.c = search->grid->c[c] * weights[a];
            problem.c_negative = search->grid->c[c] * weights[b];
            complete = try_cell(&problem, &rows, first);
        }
    }
    mem_free(diagonal);
    gram_rows_free(&rows);
    return complete;
}

/* The votes of a whole part. */
static void cast_votes(Search *search, Part part, const int32_t *held, int64_t count, const bool *first) {
    int a, b;
    svm_pair_classes(search->task->class_counts.classes, part.pair, &a, &b);
    for (int cell = 0; cell < search->fresh.cells; cell++)
        for (int64_t k = 0; k < count; k++)
            svm_votes_cast(&search->fresh, cell, held[k], first[cell * count + k] ? a : b);
}

static bool has_both_classes(const int8_t *y, int64_t n) {
    return n > 0 && y[0] != y[n - 1];
}

/* A part votes as a whole or, when it is interrupted, not at all. */
static void do_part(Search *search, Part part) {
    int64_t n, held;
    int8_t *y = mem_new((size_t)search->task->samples->set.n, 1);
    int32_t *index = part_images(search, part, y, &n, &held);
    bool complete = true;
    if (has_both_classes(y, n)) {
        bool *first = mem_new((size_t)(search->fresh.cells * held), sizeof *first);
        complete = try_cells(search, part, index, y, n, held, first);
        if (complete) cast_votes(search, part, index + n, held, first);
        mem_free(first);
    }
    mem_free(index);
    mem_free(y);
    if (!complete) return;
    search->fresh.done[part.pair * search->folds + part.fold] = 1;
}

static void list_parts(Search *search, const SvmVotes *votes) {
    const SvmTask *task = search->task;
    SvmPairs none = svm_pairs_new(task->class_counts.classes);
    SvmPlan plan = svm_plan(&task->class_counts, &none, 1, 1);
    search->parts = mem_new((size_t)(plan.count * search->folds), sizeof *search->parts);
    for (int k = 0; k < plan.count; k++)
        for (int f = 0; f < search->folds; f++)
            if (!votes->done[plan.pair[k] * search->folds + f])
                search->parts[search->count++] = (Part){plan.pair[k], f};
    svm_plan_free(&plan);
    svm_pairs_free(&none);
}

/* By each thread: parts while there are any and it isn't time to save. The main thread stays for the others,
 * who get theirs by it. */
static void work(Search *search) {
    const int thread = omp_get_thread_num();
    TraceThread *trace = trace_thread(search->task->job->trace, thread);
    const int64_t fair = divide_up(search->count, comm_size(search->task->job->comm)); /* at a time */
    while (thread < fair && !interrupted(search)) {
        const int64_t k = task_queue_wait(search->queue, thread, interrupted, search);
        if (k < 0) break;
        const double traced_s = trace_begin(trace);
        progress_enter(comm_progress(search->task->job->comm), PROGRESS_GRID_SEARCH, k + 1);
        do_part(search, search->parts[k]);
        trace_end(trace, TRACE_SEARCH, traced_s, search->parts[k].pair, search->parts[k].fold);
        if (timer_now_s() - search->start_s > search->round_s) break;
    }
    atomic_fetch_sub(&search->working, 1);
    const Waiting waiting = waiting_begin();
    while (thread == 0 && atomic_load(&search->working) > 0 && !interrupted(search))
        waiting_pause(&waiting);
}

bool svm_grid_round(const SvmTask *task, const SvmGrid *grid, SvmVotes *votes) {
    const TrainJob *job = task->job;
    Search search = {.task = task, .grid = grid, .folds = votes->folds, .start_s = timer_now_s()};
    search.round_s = (double)task->options.checkpoint_s;
    search.fresh = svm_votes_new(votes->cells, votes->folds, votes->classes, votes->images);
    search.watch = stop_watch_create(job->comm);
    atomic_init(&search.stop, stop_watch_poll(search.watch));
    list_parts(&search, votes);
    search.queue = task_queue_create(job->comm, search.count, job->threads);
    atomic_init(&search.working, job->threads);
#pragma omp parallel num_threads(job->threads)
    work(&search);
    const double traced_s = trace_begin(trace_thread(job->trace, 0));
    task_queue_leave(search.queue, search.watch);
    bool stopped = stop_watch_destroy(&search.watch);
    trace_end(trace_thread(job->trace, 0), TRACE_WAIT, traced_s, 0, 0);
    task_queue_destroy(&search.queue);
    svm_votes_gather(job->comm, &search.fresh, votes);
    svm_votes_free(&search.fresh);
    mem_free(search.parts);
    return stopped;
}

void svm_grid_table(const TrainJob *job) {
    static const MetricsColumn columns[] = {{"c", METRICS_REAL, ""},
                                            {"gamma", METRICS_REAL, ""},
                                            {"images", METRICS_COUNT, ""},
                                            {"correct", METRICS_COUNT, ""},
                                            {"accuracy", METRICS_REAL, ""}};
    metrics_table(job->metrics, "search", columns, sizeof columns / sizeof *columns);
}

/* Of a linear kernel nothing, as it has none. */
static const char *about_gamma(const SvmTask *task, const char *before, double gamma, char text[40]) {
    text[0] = 0;
    if (task->kernel.type != SVM_LINEAR) snprintf(text, 40, "%sgamma = %g", before, gamma);
    return text;
}

void svm_grid_choose(SvmTask *task, const SvmGrid *grid, const SvmVotes *votes) {
    const TrainJob *job = task->job;
    const int64_t n = task->samples->set.n;
    int64_t most = -1;
    char about[40];
    metrics_cut(job->metrics, "search", 0);
    for (int cell = 0; cell < votes->cells; cell++) {
        double c = grid->c[cell % grid->c_count], gamma = grid->gamma[cell / grid->c_count];
        int64_t correct = svm_votes_correct(votes, cell, task->samples->set.labels);
        const double row[] = {c, gamma, (double)n, (double)correct, (double)correct / (double)n};
        metrics_append(job->metrics, "search", row);
        log_line(job->log, "svm: search: C = %g%s: %.2f %% of %lld images correct", c,
                 about_gamma(task, ", ", gamma, about), 100 * row[4], (long long)n);
        if (correct <= most) continue;
        most = correct;
        task->c = c;
        task->kernel.gamma = gamma;
    }
    task->searched = true;
    log_line(job->log, "svm: search: C = %g%s %s best of %d cells", task->c,
             about_gamma(task, " and ", task->kernel.gamma, about),
             task->kernel.type == SVM_LINEAR ? "is" : "are", votes->cells);
}
