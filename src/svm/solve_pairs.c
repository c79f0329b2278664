#include "svm/solve_pairs.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/timer.h"
#include "parallel/stop.h"
#include "parallel/task_queue.h"
#include "svm/two_class.h"

#include <omp.h>
#include <stdatomic.h>
#include <time.h>

/* What the threads of a rank share. */
typedef struct {
    const SvmTask *task;
    SvmPairs *pairs;
    SvmPairFacts *facts;
    atomic_llong own; /* the fixed pair of this rank, until a thread has it; TASK_NONE */
    TaskQueue *queue; /* of the other pairs */
    bool takes;       /* this rank takes from it */
    int solvers;      /* threads that solve pairs; the others help them */
    int32_t *members; /* samples by class, ascending in each */
    int64_t class_begin[CLASSES_MAX + 1];
    int64_t cache_bytes;     /* of one pair */
    double shown_s;          /* when progress was last worked out, by rank 0 */
    double start_s, round_s; /* no pair is begun after round_s seconds */
    StopWatch *watch;
    Comm *group; /* ranks that solve this rank's one pair together, or NULL */
    PairWorkers *workers;
    atomic_int joined; /* threads that solve no more of their own */
    atomic_bool stop;
} PairTeam;

/* One thread's part in it. */
typedef struct {
    PairTeam *team;
    int thread;
} PairThread;

/* By rank 0, which knows what has been begun. */
static void show_progress(PairTeam *team) {
    const double often_s = 0.1, now_s = timer_now_s();
    if (now_s < team->shown_s + often_s) return;
    team->shown_s = now_s;
    const SvmPlan *plan = &team->task->plan;
    const int begun = plan->fixed + (int)task_queue_given(team->queue);
    double cost = 0, cost_begun = 0;
    for (int k = 0; k < plan->count; k++) {
        cost += (double)svm_pair_cost(&team->task->class_counts, plan->pair[k]);
        if (k < begun) cost_begun = cost;
    }
    const double elapsed_s = now_s - team->start_s;
    if (begun == 0) return;
    log_progress(team->task->job->log, "svm: %d of %d class pairs begun, more than %.0f s left", begun,
                 plan->count, elapsed_s * (cost / cost_begun - 1));
}

/* Whether to stop. The main thread, which alone may talk to other ranks, asks them and shows progress. */
static bool interrupted(void *context) {
    const PairThread *member = context;
    PairTeam *team = member->team;
    if (stop_signalled()) atomic_store(&team->stop, true);
    if (member->thread == 0) {
        if (stop_watch_poll(team->watch)) atomic_store(&team->stop, true);
        task_queue_poll(team->queue);
        if (comm_rank(team->task->job->comm) == 0) show_progress(team);
    }
    return atomic_load(&team->stop);
}

/* Samples of both classes, those of a first. Freed by the caller. */
static int32_t *pair_index(const PairTeam *team, int a, int b, int64_t *n) {
    int64_t n_a = team->task->class_counts.of[a];
    *n = n_a + team->task->class_counts.of[b];
    int32_t *index = mem_new((size_t)*n, sizeof *index);
    for (int64_t k = 0; k < *n; k++)
        index[k] = team->members[k < n_a ? team->class_begin[a] + k : team->class_begin[b] + k - n_a];
    return index;
}

/* The pair's support as ascending samples: two ascending lists merged. */
static void keep_solution(SvmPair *pair, const SvmSolution *solution, const int32_t *index, int64_t n_a,
                          int64_t n) {
    pair->support = mem_new((size_t)solution->support, sizeof *pair->support);
    pair->coefficient = mem_new((size_t)solution->support, sizeof *pair->coefficient);
    for (int64_t a = 0, b = n_a; a < n_a || b < n;) {
        int64_t k = b == n || (a < n_a && index[a] < index[b]) ? a++ : b++;
        if (solution->coefficient[k] == 0) continue;
        pair->support[pair->support_count] = index[k];
        pair->coefficient[pair->support_count++] = solution->coefficient[k];
    }
    pair->rho = solution->rho;
    pair->objective = solution->objective;
    pair->iterations = solution->iterations;
    pair->solved = true;
}

/* group[k] = the fold that sample k of the pair is in: what is made of one image is in one fold. */
static int32_t *pair_folds(const SvmTask *task, int64_t n_a, int64_t n, int folds) {
    const int64_t each = task->samples->set.n / svm_samples_images(task->samples);
    int32_t *group = mem_new((size_t)n, sizeof *group);
    for (int64_t k = 0; k < n; k++)
        group[k] = (int32_t)((k < n_a ? k : k - n_a) / each % folds);
    return group;
}

static bool calibrate_pair(const SvmTask *task, const TwoClass *how, const int32_t *index, const int8_t *y,
                           int64_t n_a, int64_t n, SvmPair *pair) {
    if (!task->calibrate) return true;
    const int folds = (int)task->options.folds;
    int32_t *group = pair_folds(task, n_a, n, folds);
    bool done = two_class_calibrate(how, index, y, group, n, folds, &pair->slope, &pair->offset);
    mem_free(group);
    return done;
}

static void gather(void *context, const void *mine, int64_t bytes, void *all) {
    comm_gather(context, mine, bytes, all);
}

static SvmGroup group_of(const PairTeam *team) {
    if (!team->group) return (SvmGroup){.size = 1};
    return (SvmGroup){comm_rank(team->group), comm_size(team->group), gather, team->group};
}

/* The ranks that share this rank's pair; NULL if none do. Collective. */
static Comm *make_group(const SvmTask *task) {
    const int me = comm_rank(task->job->comm), mine = svm_plan_fixed(&task->plan, me);
    bool groups = false;
    for (int k = 0; k < task->plan.fixed; k++)
        groups = groups || task->plan.ranks[k] > 1;
    if (!groups) return NULL;
    Comm *group = comm_split(task->job->comm, mine >= 0 ? mine : task->plan.count + me);
    if (comm_size(group) == 1) comm_destroy(&group);
    return group;
}

static TraceThread *thread_trace(const PairThread *member) {
    return trace_thread(member->team->task->job->trace, member->thread);
}

static void solve_pair(PairThread *member, int number) {
    PairTeam *team = member->team;
    const SvmTask *task = team->task;
    double start_s = timer_now_s();
    int a, b;
    int64_t n;
    progress_enter(comm_progress(task->job->comm), PROGRESS_SOLVING, number + 1);
    svm_pair_classes(team->pairs->classes, number, &a, &b);
    int64_t n_a = task->class_counts.of[a];
    int32_t *index = pair_index(team, a, b, &n);
    int8_t *y = mem_new((size_t)n, sizeof *y);
    for (int64_t k = 0; k < n; k++)
        y[k] = k < n_a ? 1 : -1;
    const TwoClass how = {.kernel = &task->kernel,
                          .images = task->samples->set.images,
                          .pixels = image_spec_pixels(task->samples->set.spec),
                          .c = task->c * task->class_weights[a],
                          .c_negative = task->c * task->class_weights[b],
                          .eps = task->options.eps,
                          .cache_bytes = team->cache_bytes,
                          .group = group_of(team),
                          .workers = team->workers,
                          .thread = member->thread,
                          .interrupted = interrupted,
                          .interrupt_context = member};
    SvmSolution solution;
    SvmPair *pair = &team->pairs->items[number];
    if (calibrate_pair(task, &how, index, y, n_a, n, pair) && two_class_solve(&how, index, y, n, &solution)) {
        keep_solution(pair, &solution, index, n_a, n);
        team->facts[number] =
            (SvmPairFacts){n, solution.bounded, solution.converged, timer_now_s() - start_s};
        svm_solution_free(&solution);
    }
    trace_end(thread_trace(member), TRACE_PAIR, start_s, a, b);
    mem_free(y);
    mem_free(index);
}

/* The next pair for a thread, as a place in the plan; TASK_NONE: there is none, or it is time to stop. */
static int64_t take_pair(PairThread *member) {
    PairTeam *team = member->team;
    if (member->thread >= team->solvers) return TASK_NONE;
    /* the ranks of a group agree on stopping within the solver, so all of them come to it */
    if (!team->group && interrupted(member)) return TASK_NONE;
    if (!team->takes) return atomic_exchange(&team->own, TASK_NONE);
    const int64_t task = task_queue_wait(team->queue, member->thread, interrupted, member);
    return task < 0 ? TASK_NONE : team->task->plan.fixed + task;
}

/* Solves pairs while there are any and it isn't time to save, then helps the others with theirs. */
static void work(PairThread *member) {
    PairTeam *team = member->team;
    const struct timespec nap = {0, 50000};
    for (int64_t k; (k = take_pair(member)) >= 0;) {
        solve_pair(member, team->task->plan.pair[k]);
        if (timer_now_s() - team->start_s > team->round_s) break;
    }
    pair_workers_join(team->workers);
    atomic_fetch_add(&team->joined, 1);
    const double traced_s = trace_begin(thread_trace(member));
    while (!interrupted(member) && atomic_load(&team->joined) < team->task->job->threads)
        if (!pair_workers_help(team->workers)) nanosleep(&nap, NULL);
    trace_end(thread_trace(member), TRACE_HELP, traced_s, 0, 0);
}

static void sort_by_class(PairTeam *team) {
    const ImageSet *set = &team->task->samples->set;
    int64_t next[CLASSES_MAX];
    for (int c = 0; c < set->spec.classes; c++) {
        team->class_begin[c + 1] = team->class_begin[c] + team->task->class_counts.of[c];
        next[c] = team->class_begin[c];
    }
    team->members = mem_new((size_t)set->n, sizeof *team->members);
    for (int64_t i = 0; i < set->n; i++)
        team->members[next[set->labels[i]]++] = (int32_t)i;
}

/* Which pairs this rank solves, and how many of them at a time: not so many that other ranks get none.
 * Collective. */
static void set_pairs(PairTeam *team) {
    const TrainJob *job = team->task->job;
    const SvmPlan *plan = &team->task->plan;
    const int shared = plan->count - plan->fixed, takers = comm_size(job->comm) - plan->taker;
    atomic_init(&team->own, svm_plan_fixed(plan, comm_rank(job->comm)));
    team->takes = comm_rank(job->comm) >= plan->taker;
    team->queue = task_queue_create(job->comm, shared, job->threads);
    team->solvers = team->takes ? (int)smaller(divide_up(shared, takers), job->threads) : 1;
    team->cache_bytes = (team->task->options.cache_mb << 20) / team->solvers;
}

bool svm_solve_pairs(const SvmTask *task, SvmPairs *pairs, SvmPairFacts *facts) {
    const TrainJob *job = task->job;
    PairTeam team = {.task = task, .pairs = pairs, .facts = facts, .start_s = timer_now_s()};
    team.round_s = (double)task->options.checkpoint_s;
    set_pairs(&team);
    sort_by_class(&team);
    team.group = make_group(task);
    team.workers = pair_workers_create(job->threads);
    team.watch = stop_watch_create(job->comm);
    /* or the other threads might be done before the main one asks */
    atomic_init(&team.stop, stop_watch_poll(team.watch));
#pragma omp parallel num_threads(job->threads)
    {
        PairThread member = {&team, omp_get_thread_num()};
        work(&member);
    }
    const double traced_s = trace_begin(trace_thread(job->trace, 0));
    task_queue_leave(team.queue, team.watch);
    bool stopped = stop_watch_destroy(&team.watch);
    trace_end(trace_thread(job->trace, 0), TRACE_WAIT, traced_s, 0, 0);
    task_queue_destroy(&team.queue);
    pair_workers_destroy(&team.workers);
    if (team.group) comm_destroy(&team.group);
    mem_free(team.members);
    return stopped;
}
