/* How many OpenMP threads a rank should use, and whether it has enough CPUs for them. */
#ifndef PARDIGITS_PARALLEL_PLACEMENT_H
#define PARDIGITS_PARALLEL_PLACEMENT_H

#include "core/log.h"
#include "parallel/comm.h"

/* Collective. Starts this rank's OpenMP threads and returns their number: OMP_NUM_THREADS if it is set,
 * otherwise the rank's CPUs (of its affinity mask) divided by the number of ranks that share them; fewer if
 * OpenMP allows only fewer. From then on every parallel region has this number of threads. */
int placement_threads(const Comm *comm);

/* Collective. Prints ranks, threads and CPUs. If a rank has fewer CPUs than threads, warns and names the fix.
 */
void placement_report(const Comm *comm, int threads, Log *log);

#endif
