#define _GNU_SOURCE
#include "parallel/placement.h"

#include "core/mem.h"
#include "parallel/comm_mpi.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>

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

/* The number of ranks on this node with the same affinity mask, this one included. */
static int count_sharers(const Comm *comm, const cpu_set_t *mine) {
    int size = comm_node_size(comm), sharers = 0;
    cpu_set_t *all = mem_new((size_t)size, sizeof *all);
    comm_check(MPI_Allgather(mine, sizeof *mine, MPI_BYTE, all, sizeof *mine, MPI_BYTE, comm_node_mpi(comm)),
               "MPI_Allgather");
    for (int r = 0; r < size; r++)
        sharers += CPU_EQUAL(&all[r], mine) != 0;
    mem_free(all);
    return sharers;
}

/* Starts the threads and returns their number: limits such as OMP_THREAD_LIMIT may allow fewer than
 * requested. Code that splits work by that number needs all of them in every parallel region, so it may not
 * be dynamic. */
static int start_threads(int wanted) {
    int started = 1;
    omp_set_dynamic(0);
    omp_set_num_threads(wanted);
#pragma omp parallel
#pragma omp single
    started = omp_get_num_threads();
    return started;
}

int placement_threads(const Comm *comm) {
    cpu_set_t mine = own_cpus();
    int threads = CPU_COUNT(&mine) / count_sharers(comm, &mine);
    if (getenv("OMP_NUM_THREADS")) threads = omp_get_max_threads();
    return start_threads(threads < 1 ? 1 : threads);
}

void placement_report(const Comm *comm, int threads, Log *log) {
    cpu_set_t mine = own_cpus();
    int cpus = CPU_COUNT(&mine), poorest, sharers = count_sharers(comm, &mine);
    double lack = comm_max(comm, (double)threads / cpus, &poorest);
    int facts[3] = {threads, cpus, sharers};
    comm_broadcast(comm, facts, sizeof facts, poorest);
    log_line(log, "%d rank%s, %d on this node; %d thread%s a rank, CPUs a rank: %d%s", comm_size(comm),
             comm_size(comm) == 1 ? "" : "s", comm_node_size(comm), threads, threads == 1 ? "" : "s", cpus,
             sharers > 1 ? " (shared)" : "");
    if (lack > 1)
        log_line(log,
                 "warning: rank %d has %d threads on %d CPU%s, so they take turns; with mpirun add "
                 "--bind-to none or --map-by slot:PE=%d, with srun --cpus-per-task=%d",
                 poorest, facts[0], facts[1], facts[1] == 1 ? "" : "s", facts[0], facts[0]);
}
