/* Stopping on a signal: SIGUSR1, SIGUSR2, SIGTERM, and in a training SIGINT and SIGHUP, on any rank. While
 * there is something to save the handler only sets a flag: the work checks it between two steps, saves, and
 * returns STATUS_STOPPED. Otherwise it ends the process at once with the same exit code. Of SIGINT and SIGHUP
 * any other command dies, as usual. In each case it first removes files that it hasn't finished. */
#ifndef PARDIGITS_PARALLEL_STOP_H
#define PARDIGITS_PARALLEL_STOP_H

#include "parallel/comm.h"

#include <stdbool.h>

/* From now on signals set this process's flag instead of ending it. A second SIGINT does end it; what is
 * ignored, as by nohup, stays so. Not collective; nothing else needs to have been called. */
void stop_install(void);

/* From now on signals, or one that has come already, end this process at once with STATUS_STOPPED, as there
 * is nothing to save; the launcher ends the other ranks. advice: what to do, such as "run it again", which
 * lives as long as the process. Not collective. */
void stop_exit_on_signal(const char *advice);

/* Signals from here on are only noted: the program is about to end, with a sentence of its own. mpirun sends
 * SIGTERM to the ranks that end last when one has failed. */
void stop_note_only(void);

/* Between these two, which may be nested, signals are only noted; one that came has its effect at the end.
 * For short work that mustn't be left half done. */
void stop_hold(void);
void stop_release(void);

/* A file that is removed if a signal ends this process before it is forgotten; until then the text stays. For
 * a few files at a time. */
void stop_note_unfinished(const char *path);
void stop_forget_unfinished(const char *path);

/* From now on it is as if a signal had come, because the run's folder is lost, so that nothing more can be
 * saved there: the work ends at its next step. Whether that is new. Thread-safe, not collective. */
bool stop_request(void);

/* Whether this process received such a signal, or called stop_request. Any thread may call it; not
 * collective. */
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
