/* How many OpenMP threads a rank should use, and whether enough CPUs are really free for them. A rank's share
 * of the CPUs is the sum, over the CPUs of its affinity mask, of 1 / the number of ranks that may run there;
 * the CPU quota of its control group limits it. */
#ifndef PARDIGITS_PARALLEL_PLACEMENT_H
#define PARDIGITS_PARALLEL_PLACEMENT_H

#include "core/log.h"
#include "parallel/comm.h"

enum { PLACEMENT_MOST_THREADS = 1024 }; /* of a rank: a larger number is a slip */

/* Starts the calling thread's OpenMP threads. *started: how many there are, `wanted`, or fewer if OpenMP is
 * limited to fewer. From then on every parallel region has this number of threads. STATUS_FAILED if their
 * stacks are too small. Not collective. */
StatusCode placement_start_threads(int wanted, int *started, Status *status);

/* Collective. Starts this rank's OpenMP threads and returns their number: OMP_NUM_THREADS if it is a number
 * that the machine can start, otherwise its share of the CPUs; fewer if OpenMP is limited to fewer. From
 * then on every parallel region has this number of threads. Ends the program if the threads' stacks are too
 * small. */
int placement_threads(const Comm *comm);

/* Collective. Prints ranks, threads and CPUs. If the threads of a rank have to take turns, warns once and
 * names the fix. */
void placement_report(const Comm *comm, int threads, Log *log);

enum { PLACEMENT_TEXT = 128 };

/* What binds the ranks, such as "8 CPUs a rank, threads bound (close)": the CPUs of this rank's affinity
 * mask, whether ranks share them, and OpenMP's binding of threads. Collective in each node. */
void placement_binding(const Comm *comm, char text[PLACEMENT_TEXT]);

/* The number of hosts that the ranks run on. *names: their names, by their lowest rank, with blanks between;
 * freed by mem_free. Collective: the same on all ranks. */
int placement_hosts(const Comm *comm, char **names);

#endif
