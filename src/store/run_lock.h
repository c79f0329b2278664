/* One run a folder: a lock on the file FOLDER/.lock, which says who holds it. The kernel or the file server
 * drops it when its process ends, however that ends; on a node that is lost the server may take minutes, or
 * never do it. So a lock whose owner Slurm knows to be dead is taken over: an earlier start of this job, or a
 * job of this cluster that has ended. Where a file can't be locked the folder is refused. */
#ifndef PARDIGITS_STORE_RUN_LOCK_H
#define PARDIGITS_STORE_RUN_LOCK_H

#include "core/log.h"
#include "core/status.h"
#include "parallel/comm.h"

#include <stdbool.h>

#define RUN_LOCK ".lock" /* its name in the folder */

typedef struct {
    int file;   /* open and locked; -1: not held */
    char *path; /* NULL: not held */
} RunLock;

/* Takes the lock of an existing folder. One that a living run holds is waited for so many seconds, which
 * log is told, or until a signal stops this run (STATUS_STOPPED). Not collective: rank 0 calls it. Released
 * by run_lock_release, also after a failure. */
StatusCode run_lock_take(RunLock *lock, const char *folder, double wait_s, Log *log, Status *status);

/* The same of a single file that is to be written, whose lock is the file at `path`. Where that can't be
 * locked, nothing is held, and it is no failure. */
StatusCode run_lock_take_file(RunLock *lock, const char *path, const char *file, double wait_s, Log *log,
                              Status *status);

/* Tells the other ranks which lock rank 0 has taken of the folder, for run_lock_check. Collective; they
 * release what they hold of it, too. */
void run_lock_share(const RunLock *lock, const char *folder, const Comm *comm);

/* Whether a file is in the folder whose lock this process or its rank 0 took, but meanwhile that was renamed
 * or removed, so that what has its name is another run's, or another run took the lock over. Thread-safe. */
bool run_lock_is_lost(const char *path);

/* Where such a file is now that its folder was renamed; NULL: unknown. Freed by the caller. Thread-safe. */
char *run_lock_present(const char *path);

/* Refuses such a file. Thread-safe. */
StatusCode run_lock_check(const char *path, Status *status);

/* Removes the file, too. */
void run_lock_release(RunLock *lock);

/* Whether somebody holds the lock of a folder; asks without taking it. */
bool run_lock_is_held(const char *folder);

/* Whether the folder has a lock that nobody holds: its owner was killed. */
bool run_lock_is_left(const char *folder);

/* Whether Slurm started this job again: then a lost node may hold the lock still. */
bool run_lock_is_restart(void);

#endif
