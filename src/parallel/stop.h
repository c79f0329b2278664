/* Stopping on a signal: SIGUSR1, SIGUSR2 or SIGTERM on any rank. The handler only sets a flag. The work
 * checks it between two steps, saves, and returns STATUS_STOPPED. */
#ifndef PARDIGITS_PARALLEL_STOP_H
#define PARDIGITS_PARALLEL_STOP_H

#include "parallel/comm.h"

#include <stdbool.h>

/* From now on SIGUSR1, SIGUSR2 and SIGTERM set this process's flag instead of ending it. Not collective. */
void stop_install(void);

/* Whether this process received such a signal. Any thread may call it; not collective. */
bool stop_signalled(void);

/* The name of the signal, such as "SIGUSR1"; "a signal on another rank" if this process received none. */
const char *stop_signal_name(void);

/* Tells all ranks of a signal on one of them, for work without common steps. Created and destroyed
 * collectively. */
typedef struct StopWatch StopWatch;
StopWatch *stop_watch_create(const Comm *comm);

/* Whether any rank received a signal or raised the watch. The first call that sees this rank's own flag tells
 * the other ranks. Main thread only; not collective. It takes well under a microsecond, so call it every few
 * ms. */
bool stop_watch_poll(StopWatch *watch);

/* Stops the other ranks, as a signal would, because this one failed. Main thread only; not collective. */
void stop_watch_raise(StopWatch *watch);

/* Collective (a barrier): each rank calls it once, when it has stopped or finished. A signal that a waiting
 * rank receives still reaches the others. Returns on every rank whether any rank had received a signal or
 * raised the watch by then. */
bool stop_watch_destroy(StopWatch **watch);

#endif
