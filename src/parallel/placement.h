/* Where the ranks and threads of a run are: how many OpenMP threads a rank should use, and whether the CPUs
 * that are really free for it suffice. A rank's share of the CPUs counts each CPU of its affinity mask by how
 * many ranks of the node may run on it, and is limited by the CPU quota of its control group. */
#ifndef PARDIGITS_PARALLEL_PLACEMENT_H
#define PARDIGITS_PARALLEL_PLACEMENT_H

#include "core/log.h"
#include "parallel/comm.h"

/* Collective. Starts this rank's OpenMP threads and returns their number: OMP_NUM_THREADS if it is a number
 * that the machine can start, otherwise its share of the CPUs; fewer if OpenMP is limited to fewer. Parallel
 * regions have so many threads from then on. Ends the program if the threads' stacks are too small. */
int placement_threads(const Comm *comm);

/* Collective. Prints ranks, threads and CPUs, and warns once, with the fix, when a rank's threads have to
 * take turns. */
void placement_report(const Comm *comm, int threads, Log *log);

#endif
