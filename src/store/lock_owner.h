/* Who holds a lock (run_lock.h): what a lock file says of its owner. */
#ifndef PARDIGITS_STORE_LOCK_OWNER_H
#define PARDIGITS_STORE_LOCK_OWNER_H

#include <stdbool.h>

typedef struct {
    char user[64], host[256], cluster[64]; /* "-": unknown */
    long long pid, started_s;              /* since 1970 */
    long long job, restart;                /* Slurm's; 0 without it */
} LockOwner;

enum { LOCK_TEXT = 1024 };

/* Writes who this run is into an open lock file. */
void lock_owner_write(int file);

/* All that a lock file says. False if there is no such file; what can't be read of it is missing. */
bool lock_owner_text(const char *path, char text[LOCK_TEXT]);

/* Who the owner is. False if the file doesn't say. */
bool lock_owner_read(const char *path, LockOwner *owner);

/* Whether Slurm knows that the owner has ended: it is an earlier start of this job, or a job of this cluster
 * of which squeue says so. */
bool lock_owner_is_dead(const LockOwner *owner);

enum { OWNER_TEXT = 600 };

/* Such as ": process 17 of ann on node3, begun 2 h ago by Slurm job 12 (start 1)"; "" if the file doesn't
 * say. */
void lock_owner_describe(const char *path, char text[OWNER_TEXT]);

#endif
