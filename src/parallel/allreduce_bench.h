/* How long sums over the ranks take, exactly as training makes them. */
#ifndef PARDIGITS_PARALLEL_ALLREDUCE_BENCH_H
#define PARDIGITS_PARALLEL_ALLREDUCE_BENCH_H

#include "parallel/allreduce.h"

/* The blocking MPI_Allreduce, to compare with. */
#define ALLREDUCE_BENCH_BLOCKING "blocking"

/* Collective: the median of `repeats` sums of n values, of each the slowest rank's seconds. algorithm: as in
 * allreduce_create, or ALLREDUCE_BENCH_BLOCKING. */
double allreduce_bench_s(const Comm *comm, SumType type, int64_t n, const char *algorithm, int repeats);

#endif
