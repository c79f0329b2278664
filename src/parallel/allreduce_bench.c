#include "parallel/allreduce_bench.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/timer.h"
#include "parallel/comm_mpi.h"

#include <string.h>

static void sum_blocking(const Comm *comm, SumType type, void *values, int64_t n) {
    comm_check(MPI_Allreduce(MPI_IN_PLACE, values, (int)n, sum_mpi_type(type), MPI_SUM, comm_mpi(comm)),
               "MPI_Allreduce");
}

double allreduce_bench_s(const Comm *comm, SumType type, int64_t n, const char *algorithm, int repeats) {
    void *values = mem_new((size_t)n, (size_t)sum_type_bytes(type));
    double *seconds = mem_new((size_t)repeats, sizeof *seconds);
    const bool blocking = algorithm && !strcmp(algorithm, ALLREDUCE_BENCH_BLOCKING);
    Allreduce *sum = blocking ? NULL : allreduce_create(comm, type, values, n, algorithm, 0);
    for (int i = -1; i < repeats; i++) { /* the first one opens connections */
        comm_barrier(comm);
        const double began_s = timer_now_s();
        if (blocking) {
            sum_blocking(comm, type, values, n);
        } else {
            allreduce_start(sum);
            allreduce_wait(sum);
        }
        const double slowest_s = comm_max(comm, timer_now_s() - began_s, NULL);
        if (i >= 0) seconds[i] = slowest_s;
    }
    sort_doubles(seconds, (size_t)repeats);
    const double median_s = seconds[repeats / 2];
    allreduce_destroy(&sum);
    mem_free(seconds);
    mem_free(values);
    return median_s;
}
