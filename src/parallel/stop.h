/* The wish to stop: USR1, USR2 or TERM on any rank. The handler only sets a flag; the work asks for it
 * between two steps, saves and returns STATUS_STOPPED. */
#ifndef PARDIGITS_PARALLEL_STOP_H
#define PARDIGITS_PARALLEL_STOP_H

#include "parallel/comm.h"

#include <stdbool.h>

/* Makes USR1, USR2 and TERM set this process's flag instead of ending it. Not collective. */
void stop_install(void);

/* Whether a signal reached this process. Any thread; not collective. */
bool stop_signalled(void);

/* The name of the signal, such as "SIGUSR1". */
const char *stop_signal_name(void);

/* For work without a common step, in which every rank goes on alone: a signal on one rank reaches all.
 * Created and destroyed collectively. */
typedef struct StopWatch StopWatch;
StopWatch *stop_watch_create(const Comm *comm);

/* Whether any rank was signalled: tells the others the first time that it sees this rank's flag. From the
 * main thread only; not collective; costs well under a microsecond when nothing happened, so ask every few
 * ms. */
bool stop_watch_poll(StopWatch *watch);

/* This rank can't go on (it failed), so the others are to stop as if it had been signalled. From the main
 * thread only; not collective. */
void stop_watch_raise(StopWatch *watch);

/* Collective (a barrier): every rank comes here once, having stopped or finished; a signal on one that waits
 * here reaches the others too. Returns on every rank whether any rank had been signalled, or had raised, by
 * then. */
bool stop_watch_destroy(StopWatch **watch);

#endif
