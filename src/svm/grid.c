#include "grid.h"

#include "gram_rows.h"
#include "pardigits/mem.h"
#include "pardigits/stop.h"
#include "pardigits/timer.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Votes of one image are one integer: VOTE_BITS bits for each digit. */
enum { VOTE_BITS = 4 };

static StatusCode read_list(const Config *config, const char *name, double *values, int *count,
                            Status *status) {
    const char *at = config_text(config, name);
    char *end;
    for (*count = 0; *(at += strspn(at, " ,")); at = end) {
        double value = strtod(at, &end);
        if (end == at || !isfinite(value) || value <= 0 || *count == SVM_GRID_MOST)
            return status_set(status, STATUS_USAGE, "%s = %s: expected 1 to %d positive numbers.", name,
                              config_text(config, name), SVM_GRID_MOST);
        values[(*count)++] = value;
    }
    if (*count) return STATUS_OK;
    return status_set(status, STATUS_USAGE, "%s is empty: expected 1 to %d positive numbers.", name,
                      SVM_GRID_MOST);
}

StatusCode svm_grid_read(const Config *config, SvmGrid *grid, Status *status) {
    *grid = (SvmGrid){0};
    if (read_list(config, "svm.grid_c", grid->c, &grid->c_count, status)) return status->code;
    if (read_list(config, "svm.grid_gamma", grid->gamma, &grid->gamma_count, status)) return status->code;
    if (!strcmp(config_text(config, "svm.kernel"), "linear")) grid->gamma_count = 1;
    return STATUS_OK;
}

/* A part of the work: what separates two classes, trained without one fold. */
typedef struct {
    int pair, fold;
} Item;

typedef struct {
    const SvmTask *task;
    const SvmGrid *grid;
    int folds, cells;
    Item *mine; /* [count] of this rank */
    int64_t count;
    uint64_t *votes; /* [cells][images] */
    StopWatch *watch;
    atomic_llong finished;
    atomic_bool stop;
} Search;

static bool interrupted(void *context) {
    Search *search = context;
    if (omp_get_thread_num() == 0) {
        if (stop_watch_poll(search->watch)) atomic_store(&search->stop, true);
        log_progress(search->task->job->log, "svm: search: %lld of %lld parts on rank 0",
                     (long long)atomic_load(&search->finished), (long long)search->count);
    }
    return atomic_load(&search->stop);
}

/* Images trained on and then those held out, of all classes. Freed by the caller. */
static int32_t *item_images(const Search *search, Item item, int8_t *y, int64_t *n, int64_t *held) {
    const ImageSet *set = &search->task->samples->set;
    int32_t *index = mem_new((size_t)set->n, sizeof *index);
    int a, b;
    svm_pair_classes(item.pair, &a, &b);
    *n = *held = 0;
    for (int side = 0; side < 2; side++)
        for (int64_t i = 0; i < set->n; i++)
            if (set->labels[i] == (side ? b : a) && i % search->folds != item.fold) {
                y[*n] = side ? -1 : 1;
                index[(*n)++] = (int32_t)i;
            }
    for (int64_t i = item.fold; i < set->n; i += search->folds)
        index[*n + (*held)++] = (int32_t)i;
    return index;
}

/* Trains one cell and lets it vote on the held-out images. */
static void try_cell(Search *search, Item item, SvmProblem *problem, GramRows *rows, const int32_t *held,
                     int cell) {
    SvmSolution solution;
    int a, b;
    if (!svm_solve(problem, &solution)) return;
    double *decision = mem_new((size_t)rows->others, sizeof *decision);
    gram_rows_decide(rows, solution.coefficient, solution.rho, decision);
    svm_pair_classes(item.pair, &a, &b);
    uint64_t *votes = search->votes + cell * search->task->samples->set.n;
    for (int64_t k = 0; k < rows->others; k++) {
        uint64_t vote = (uint64_t)1 << (VOTE_BITS * (decision[k] > 0 ? a : b));
#pragma omp atomic
        votes[held[k]] += vote;
    }
    mem_free(decision);
    svm_solution_free(&solution);
}

static bool has_both_classes(const int8_t *y, int64_t n) {
    return n > 0 && y[0] != y[n - 1];
}

static void do_item(Search *search, Item item) {
    const TrainJob *job = search->task->job;
    SvmKernel kernel = search->task->kernel;
    int64_t n, held, bytes = (config_int(job->config, "svm.cache_mb") << 20) / (2 * job->threads);
    int8_t *y = mem_new((size_t)search->task->samples->set.n, 1);
    int32_t *index = item_images(search, item, y, &n, &held);
    if (has_both_classes(y, n)) {
        GramRows rows = gram_rows_new(&kernel, search->task->samples->set.images, index, n, held, bytes);
        float *diagonal = mem_new((size_t)n, sizeof *diagonal);
        SvmProblem problem = {.n = n, .y = y, .diagonal = diagonal, .rows = gram_rows_source(&rows)};
        problem.eps = config_real(job->config, "svm.eps");
        problem.cache_bytes = bytes;
        problem.interrupted = interrupted;
        problem.interrupt_context = search;
        for (int g = 0; g < search->grid->gamma_count; g++) {
            kernel.gamma = search->grid->gamma[g];
            gram_rows_diagonal(&rows, diagonal);
            for (int c = 0; c < search->grid->c_count && !atomic_load(&search->stop); c++) {
                problem.c = search->grid->c[c];
                try_cell(search, item, &problem, &rows, index + n, g * search->grid->c_count + c);
            }
        }
        mem_free(diagonal);
        gram_rows_free(&rows);
    }
    mem_free(index);
    mem_free(y);
    atomic_fetch_add(&search->finished, 1);
}

/* Gives this rank its items: those of the costliest pairs first, each to the rank with the least so far. */
static void choose_items(Search *search) {
    const SvmTask *task = search->task;
    const SvmPair none[SVM_PAIRS] = {0};
    const int ranks = comm_size(task->job->comm);
    SvmPlan plan = svm_plan(task->class_counts, none, 1, 1);
    int64_t *load = mem_new((size_t)ranks, sizeof *load);
    search->mine = mem_new((size_t)(plan.count * search->folds), sizeof *search->mine);
    for (int k = 0; k < plan.count; k++)
        for (int f = 0; f < search->folds; f++) {
            int least = 0;
            for (int r = 1; r < ranks; r++)
                if (load[r] < load[least]) least = r;
            load[least] += svm_pair_cost(task->class_counts, plan.pair[k]);
            if (least == comm_rank(task->job->comm)) search->mine[search->count++] = (Item){plan.pair[k], f};
        }
    mem_free(load);
}

/* How many images most votes are right for; ties go to the smaller digit, as in use. */
static int64_t count_correct(const Search *search, int cell) {
    const ImageSet *set = &search->task->samples->set;
    const uint64_t *votes = search->votes + cell * set->n, mask = ((uint64_t)1 << VOTE_BITS) - 1;
    int64_t correct = 0;
    for (int64_t i = 0; i < set->n; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            if ((votes[i] >> (VOTE_BITS * c) & mask) > (votes[i] >> (VOTE_BITS * best) & mask)) best = c;
        correct += best == set->labels[i];
    }
    return correct;
}

/* Reports all cells and sets the task to the best. */
static void choose_cell(const Search *search, SvmTask *task) {
    static const MetricsColumn columns[] = {{"c", false, ""},
                                            {"gamma", false, ""},
                                            {"images", true, ""},
                                            {"correct", true, ""},
                                            {"accuracy", false, ""}};
    const TrainJob *job = task->job;
    const int64_t n = task->samples->set.n;
    int64_t most = -1;
    metrics_table(job->metrics, "search", columns, sizeof columns / sizeof *columns);
    metrics_cut(job->metrics, "search", 0);
    for (int cell = 0; cell < search->cells; cell++) {
        double c = search->grid->c[cell % search->grid->c_count],
               gamma = search->grid->gamma[cell / search->grid->c_count];
        int64_t correct = count_correct(search, cell);
        const double row[] = {c, gamma, (double)n, (double)correct, (double)correct / (double)n};
        metrics_append(job->metrics, "search", row);
        log_line(job->log, "svm: search: C = %g, gamma = %g: %.2f %% of %lld images correct", c, gamma,
                 100 * row[4], (long long)n);
        if (correct <= most) continue;
        most = correct;
        task->c = c;
        task->kernel.gamma = gamma;
    }
    task->searched = true;
}

bool svm_grid_search(SvmTask *task, const SvmGrid *grid) {
    const TrainJob *job = task->job;
    double start_s = timer_now_s();
    Search search = {.task = task, .grid = grid, .cells = grid->c_count * grid->gamma_count};
    int64_t votes = search.cells * task->samples->set.n;
    search.folds = (int)config_int(job->config, "svm.folds");
    search.votes = mem_new((size_t)votes, sizeof *search.votes);
    search.watch = stop_watch_create(job->comm);
    choose_items(&search);
#pragma omp parallel for schedule(dynamic, 1) num_threads(job->threads)
    for (int64_t k = 0; k < search.count; k++)
        if (!interrupted(&search)) do_item(&search, search.mine[k]);
    bool stopped = stop_watch_destroy(&search.watch);
    comm_sum_u64(job->comm, search.votes, votes);
    if (!stopped) {
        choose_cell(&search, task);
        log_line(job->log, "svm: search: C = %g and gamma = %g are best of %d cells, %.1f s", task->c,
                 task->kernel.gamma, search.cells, timer_now_s() - start_s);
    }
    mem_free(search.mine);
    mem_free(search.votes);
    return stopped;
}
