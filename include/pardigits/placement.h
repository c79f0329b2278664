/* Where the ranks and threads of a run are: how many OpenMP threads a rank should use, and whether the CPUs
 * that it may run on suffice for them. */
#ifndef PARDIGITS_PLACEMENT_H
#define PARDIGITS_PLACEMENT_H

#include "pardigits/comm.h"
#include "pardigits/log.h"

/* Collective. The number of OpenMP threads of this rank: OMP_NUM_THREADS if it is set, otherwise its CPUs (of
 * the affinity mask) divided by the ranks that share them. */
int placement_threads(const Comm *comm);

/* Collective. Prints ranks, threads and CPUs, and warns with the fix when a rank has fewer CPUs than threads.
 */
void placement_report(const Comm *comm, int threads, Log *log);

#endif
