/* Notices ranks that make no progress, and names them. A thread of each rank, the watcher, tells the others
 * that its process lives and whether its main thread gets on: on the same node in shared memory, to other
 * nodes by heartbeats. A rank is behind
 *     - that gives no sign of life: its process is stopped, killed or on a host that can't be reached;
 *     - whose main thread neither waits for other ranks nor uses the processor nor enters new phases.
 * Long computations are progress, whatever they do. When ranks are behind for run.stall_warn_s every other
 * rank says so, once; after run.stall_abort_s it ends its process with exit code 1, and before that saves
 * what can be saved (ProgressSave). Watchers make no MPI calls. A host from which no heartbeat ever came,
 * such as behind a firewall, isn't watched. */
#ifndef PARDIGITS_PARALLEL_WATCHDOG_H
#define PARDIGITS_PARALLEL_WATCHDOG_H

#include "parallel/comm.h"

typedef struct Watchdog Watchdog;

enum { WATCHDOG_WARN_S = 60, WATCHDOG_ABORT_S = 0 }; /* until watchdog_set_patience is called; 0: never */

/* Begins to watch the ranks of comm, which all communicators that are split from it later have part in, too.
 * Collective; NULL with one rank. Ended by watchdog_stop, which is collective, before comm is destroyed. */
Watchdog *watchdog_start(Comm *comm);
void watchdog_stop(Watchdog **watchdog);

/* The patience in seconds; 0: none of it. The same on all ranks; not collective. */
void watchdog_set_patience(const Comm *comm, int64_t warn_s, int64_t abort_s);

#endif
