/* Where the ranks and threads of a run are: how many OpenMP threads a rank should use, and whether the CPUs
 * that it may run on suffice for them. */
#ifndef PARDIGITS_PARALLEL_PLACEMENT_H
#define PARDIGITS_PARALLEL_PLACEMENT_H

#include "core/log.h"
#include "parallel/comm.h"

/* Collective. Starts this rank's OpenMP threads and returns their number: OMP_NUM_THREADS if it is set,
 * otherwise its CPUs (of the affinity mask) divided by the ranks that share them; fewer if OpenMP is limited
 * to fewer. Parallel regions have so many threads from then on. */
int placement_threads(const Comm *comm);

/* Collective. Prints ranks, threads and CPUs, and warns with the fix when a rank has fewer CPUs than threads.
 */
void placement_report(const Comm *comm, int threads, Log *log);

#endif
