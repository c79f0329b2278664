#define _GNU_SOURCE
#include "parallel/placement.h"

#include "core/environment.h"
#include "core/host.h"
#include "core/limits.h"
#include "core/mem.h"
#include "parallel/comm_mpi.h"

#include <limits.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LEAST_STACK = 256 << 10, /* bytes that a thread needs */
};

/* What ranks of a node tell each other. */
typedef struct {
    cpu_set_t cpus;
    uint64_t quota_group; /* ranks with the same one share the quota */
} RankCpus;

/* The CPUs of all OpenMP places: where OMP_PROC_BIND is set, the affinity of the first thread is its own
 * place alone. */
static cpu_set_t places_cpus(void) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    for (int place = 0; place < omp_get_num_places(); place++) {
        int count = omp_get_place_num_procs(place), *ids = mem_new((size_t)count, sizeof *ids);
        omp_get_place_proc_ids(place, ids);
        for (int i = 0; i < count; i++)
            if (ids[i] < CPU_SETSIZE) CPU_SET(ids[i], &cpus);
        mem_free(ids);
    }
    return cpus;
}

static cpu_set_t own_cpus(void) {
    cpu_set_t cpus;
    if (omp_get_num_places() > 0) return places_cpus();
    if (sched_getaffinity(0, sizeof cpus, &cpus)) {
        CPU_ZERO(&cpus); /* a machine with more CPUs than the mask holds: count them instead */
        for (int c = 0; c < omp_get_num_procs() && c < CPU_SETSIZE; c++)
            CPU_SET(c, &cpus);
    }
    return cpus;
}

/* A rank's CPUs. */
typedef struct {
    int cpus;     /* of its affinity mask */
    double share; /* of them that are free for it */
    bool shared;  /* with other ranks */
    bool quota;   /* a control group's quota is what limits the share */
} CpuShare;

/* Collective in the node. */
static CpuShare find_share(const Comm *comm) {
    const int size = comm_node_size(comm);
    const RankCpus mine = {own_cpus(), limits_cpu_group("")};
    RankCpus *all = mem_new((size_t)size, sizeof *all);
    *all = mine;
    if (size > 1)
        comm_check(
            MPI_Allgather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, comm_node_mpi(comm)),
            "MPI_Allgather");
    CpuShare result = {.cpus = CPU_COUNT(&mine.cpus)};
    for (int c = 0; c < CPU_SETSIZE; c++) {
        int ranks = 0;
        for (int r = 0; CPU_ISSET(c, &mine.cpus) && r < size; r++)
            ranks += CPU_ISSET(c, &all[r].cpus) != 0;
        if (ranks) result.share += 1.0 / ranks;
        result.shared |= ranks > 1;
    }
    int in_group = 0;
    for (int r = 0; r < size; r++)
        in_group += all[r].quota_group == mine.quota_group;
    const double quota = limits_cpu_quota("") / in_group;
    result.quota = quota < result.share;
    if (result.quota) result.share = quota;
    mem_free(all);
    return result;
}

/* OMP_NUM_THREADS has one for each level. */
static int requested_threads(void) {
    return environment_number("OMP_NUM_THREADS", PLACEMENT_MOST_THREADS);
}

static void warn_of_variable(const char *name, int most, Log *log) {
    const char *text = getenv(name);
    if (text && *text && !environment_number(name, most))
        log_line(log, "warning: %s=%s has no effect: expected a number from 1 to %d", name, text, most);
}

/* Bytes of the calling thread's stack. */
static size_t stack_bytes(void) {
    pthread_attr_t facts;
    size_t bytes = LEAST_STACK;
    if (pthread_getattr_np(pthread_self(), &facts)) return bytes;
    pthread_attr_getstacksize(&facts, &bytes);
    pthread_attr_destroy(&facts);
    return bytes;
}

/* Limits such as OMP_THREAD_LIMIT may allow fewer than requested. Code that splits work by that number needs
 * all of them in every parallel region, so it may not be dynamic. */
StatusCode placement_start_threads(int wanted, int *started, Status *status) {
    int threads = 1;
    size_t least_stack = LEAST_STACK;
    omp_set_dynamic(0);
    omp_set_num_threads(wanted);
#pragma omp parallel reduction(min : least_stack)
    {
        least_stack = stack_bytes();
#pragma omp single
        threads = omp_get_num_threads();
    }
    *started = threads;
    if (least_stack < LEAST_STACK)
        status_set(status, STATUS_FAILED,
                   "a thread has a stack of %zu KiB and needs %d KiB: unset OMP_STACKSIZE, or raise it or "
                   "`ulimit -s`",
                   least_stack >> 10, LEAST_STACK >> 10);
    return status->code;
}

int placement_threads(const Comm *comm) {
    const CpuShare share = find_share(comm);
    int threads = requested_threads();
    if (!threads) threads = (int)(share.share + 1e-9);
    int started;
    Status status = {0};
    if (placement_start_threads(threads < 1 ? 1 : threads, &started, &status)) fatal("%s", status.text);
    return started;
}

/* What rank `rank` should change. All ranks return the same. */
static void warn(const Comm *comm, int rank, const CpuShare *own, int own_threads, Log *log) {
    struct {
        CpuShare share;
        int threads, requested, node_cpus;
        bool binds;
    } facts = {*own, own_threads, requested_threads(), (int)sysconf(_SC_NPROCESSORS_ONLN),
               omp_get_proc_bind() != omp_proc_bind_false};
    comm_broadcast(comm, &facts, sizeof facts, rank);
    const int threads = facts.threads,
              free_cpus = facts.share.share < 1 ? 1 : (int)(facts.share.share + 1e-9);
    if (threads > facts.node_cpus)
        log_line(log, "warning: rank %d has %d threads, but its node has %d CPU%s; lower OMP_NUM_THREADS",
                 rank, threads, facts.node_cpus, facts.node_cpus == 1 ? "" : "s");
    else if (threads > facts.share.cpus)
        log_line(log,
                 "warning: rank %d has %d threads on %d CPU%s, so they take turns; with mpirun add "
                 "--bind-to none or --map-by slot:PE=%d, with srun --cpus-per-task=%d",
                 rank, threads, facts.share.cpus, facts.share.cpus == 1 ? "" : "s", threads, threads);
    else if (facts.binds && facts.share.shared)
        log_line(log,
                 "warning: OMP_PROC_BIND binds the threads of several ranks to the same CPUs; unset it, or "
                 "give each "
                 "rank CPUs of its own (mpirun --map-by slot:PE=%d, srun --cpus-per-task=%d)",
                 threads, threads);
    else if (threads > facts.share.share && facts.requested && threads > free_cpus)
        log_line(log, "warning: rank %d has %d threads, but only %.3g CPU%s %s; set OMP_NUM_THREADS=%d", rank,
                 threads, facts.share.share, facts.share.share == 1 ? "" : "s",
                 facts.share.quota ? "of its control group's quota"
                                   : "for itself, as other ranks use the same ones",
                 free_cpus);
    else if (threads > facts.share.share)
        log_line(log, "warning: rank %d has only %.3g of a CPU %s; start fewer ranks", rank,
                 facts.share.share, facts.share.quota ? "by its control group's quota" : "for itself");
}

void placement_report(const Comm *comm, int threads, Log *log) {
    const CpuShare mine = find_share(comm);
    int poorest;
    const bool bound_together = mine.shared && omp_get_proc_bind() != omp_proc_bind_false;
    const double lack = comm_max(comm, bound_together ? 1e6 : threads / mine.share, &poorest);
    log_line(log, "%d rank%s, %d on this node; %d thread%s a rank, CPUs a rank: %d%s", comm_size(comm),
             comm_size(comm) == 1 ? "" : "s", comm_node_size(comm), threads, threads == 1 ? "" : "s",
             mine.cpus,
             mine.quota    ? " (limited by a quota)"
             : mine.shared ? " (shared)"
                           : "");
    if (lack > 1.01) warn(comm, poorest, &mine, threads, log);
    warn_of_variable("OMP_NUM_THREADS", PLACEMENT_MOST_THREADS, log);
    warn_of_variable("PARDIGITS_NODE_RANKS", INT_MAX, log);
}

/* How OpenMP binds threads. */
static const char *thread_binding(void) {
    static const struct {
        omp_proc_bind_t bind;
        const char *text;
    } kinds[] = {{omp_proc_bind_false, "threads unbound"},
                 {omp_proc_bind_close, "threads bound (close)"},
                 {omp_proc_bind_spread, "threads bound (spread)"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].bind == omp_get_proc_bind()) return kinds[i].text;
    return "threads bound";
}

void placement_binding(const Comm *comm, char text[PLACEMENT_TEXT]) {
    const CpuShare mine = find_share(comm);
    snprintf(text, PLACEMENT_TEXT, "%d CPU%s a rank%s%s, %s", mine.cpus, mine.cpus == 1 ? "" : "s",
             mine.shared ? ", shared by ranks" : "", mine.quota ? ", limited by a quota" : "",
             thread_binding());
}

/* Whether rank r is the first on its host. names [size][HOST_NAME]. */
static bool is_first_on_host(char (*names)[HOST_NAME], int r) {
    for (int other = 0; other < r; other++)
        if (!strcmp(names[other], names[r])) return false;
    return true;
}

int placement_hosts(const Comm *comm, char **names) {
    const int size = comm_size(comm);
    char mine[HOST_NAME];
    host_name(mine);
    char(*all)[HOST_NAME] = mem_new((size_t)size, sizeof *all);
    comm_gather(comm, mine, sizeof mine, all);
    *names = mem_new((size_t)size, sizeof *all);
    int hosts = 0;
    size_t used = 0;
    for (int r = 0; r < size; r++) {
        if (!is_first_on_host(all, r)) continue;
        used += (size_t)sprintf(*names + used, "%s%s", hosts++ ? " " : "", all[r]);
    }
    mem_free(all);
    return hosts;
}
