#define _GNU_SOURCE /* F_OFD_SETLK */
#include "store/run_lock.h"

#include "store/lock_owner.h"

#include "core/environment.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/timer.h"
#include "parallel/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool run_lock_is_restart(void) {
    return environment_number("SLURM_RESTART_COUNT", INT_MAX) > 0;
}

/* Whether the path still leads to the file: its last owner may have removed it. */
static bool is_current(int file, const char *path) {
    struct stat opened, there;
    return fstat(file, &opened) == 0 && stat(path, &there) == 0 && opened.st_ino == there.st_ino &&
           opened.st_dev == there.st_dev;
}

/* A path that leads to the file now that its folder was renamed; NULL: there is none, or it can't be found.
 * Freed by the caller. */
static char *present_path(int file) {
    char link[40], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = file < 0 ? -1 : readlink(link, path, sizeof path - 1);
    return length > 0 && is_current(file, path) ? mem_text(path) : NULL;
}

typedef enum { TAKEN, HELD, IMPOSSIBLE } Attempt;

/* errno says why it is IMPOSSIBLE. */
static Attempt try_lock(RunLock *lock, const char *path) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    for (;;) {
        const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (file < 0) return IMPOSSIBLE;
        int failed = fcntl(file, F_OFD_SETLK, &whole);
        while (failed && errno == EINTR && !stop_signalled())
            failed = fcntl(file, F_OFD_SETLK, &whole);
        if (!failed && is_current(file, path)) {
            *lock = (RunLock){file, mem_text(path)};
            return TAKEN;
        }
        const int reason = errno;
        close(file);
        errno = reason;
        if (failed) return reason == EAGAIN || reason == EACCES ? HELD : IMPOSSIBLE;
    }
}

/* The folder of the run that this process writes: one at a time, from run_lock_take or run_lock_share to
 * run_lock_release. */
static struct {
    char *folder; /* NULL: none */
    int lock;     /* -1: another rank holds it */
    struct stat facts;
    char text[LOCK_TEXT]; /* of the lock file */
} own = {.lock = -1};

static void note_own(const char *path, int lock) {
    mem_free(own.folder);
    own.folder = path_folder(path);
    own.lock = lock;
    if (stat(own.folder, &own.facts)) memset(&own.facts, 0, sizeof own.facts);
}

void run_lock_share(const RunLock *lock, const char *folder, const Comm *comm) {
    char *path = path_join(folder, RUN_LOCK);
    if (lock->path) lock_owner_text(path, own.text);
    comm_broadcast(comm, own.text, sizeof own.text, 0);
    if (!lock->path) note_own(path, -1);
    mem_free(path);
}

/* A rank that doesn't hold the lock goes by what the lock file says: to another host a file server may tell
 * for a while what was there before. */
static bool is_own(const char *folder, const struct stat *there) {
    char *lock = path_join(folder, RUN_LOCK), text[LOCK_TEXT];
    const bool same = there->st_ino == own.facts.st_ino && there->st_dev == own.facts.st_dev,
               locked = lock_owner_text(lock, text);
    const bool is =
        own.lock < 0 && locked ? !strcmp(text, own.text) : same && (!locked || is_current(own.lock, lock));
    mem_free(lock);
    return is;
}

/* Whether a folder that isn't at its path any more was renamed or removed: one whose file system is away may
 * come back. */
static bool is_elsewhere(void) {
    struct stat lock;
    char *present = present_path(own.lock);
    const bool is = present || (own.lock >= 0 && fstat(own.lock, &lock) == 0 && lock.st_nlink == 0);
    mem_free(present);
    return is;
}

bool run_lock_is_lost(const char *path) {
    struct stat there;
    char *folder = path_folder(path);
    bool lost = false;
    if (own.folder && !strcmp(folder, own.folder))
        lost = stat(folder, &there) ? errno == ENOENT && is_elsewhere() : !is_own(folder, &there);
    mem_free(folder);
    return lost;
}

char *run_lock_present(const char *path) {
    char *lock = run_lock_is_lost(path) ? present_path(own.lock) : NULL;
    char *folder = lock ? path_folder(lock) : NULL,
         *present = folder ? path_join(folder, path_name(path)) : NULL;
    mem_free(folder);
    mem_free(lock);
    return present;
}

StatusCode run_lock_check(const char *path, Status *status) {
    if (status->code || !run_lock_is_lost(path)) return status->code;
    char *folder = path_folder(path), *present = run_lock_present(path),
         *now = present ? path_folder(present) : NULL;
    if (now)
        status_set(status, STATUS_FAILED,
                   "%s isn't written: %s was renamed to %s while this run went on. To go on from its last "
                   "checkpoint, name that folder by --run, with --resume.",
                   path, folder, now);
    else
        status_set(
            status, STATUS_FAILED,
            "%s isn't written: %s was renamed, removed or taken over by another run while this one went "
            "on. If it was renamed, name its new place by --run, with --resume, to go on from its last "
            "checkpoint.",
            path, folder);
    mem_free(now);
    mem_free(present);
    mem_free(folder);
    return status->code;
}

void run_lock_release(RunLock *lock) {
    if (own.lock == lock->file) {
        mem_free(own.folder);
        own.folder = NULL;
    }
    if (lock->path) {
        char *present = present_path(lock->file); /* NULL: it was taken over */
        if (is_current(lock->file, lock->path) || present) unlink(present ? present : lock->path);
        mem_free(present);
        close(lock->file);
    }
    mem_free(lock->path);
    *lock = (RunLock){-1, NULL};
}

typedef enum { LOCK_ABSENT, LOCK_LEFT, LOCK_HELD } LockState;

static LockState find_state(const char *folder) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = path_join(folder, RUN_LOCK);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    mem_free(path);
    if (file < 0) return LOCK_ABSENT;
    const bool held = fcntl(file, F_OFD_GETLK, &whole) || whole.l_type != F_UNLCK;
    close(file);
    return held ? LOCK_HELD : LOCK_LEFT;
}

bool run_lock_is_held(const char *folder) {
    return find_state(folder) == LOCK_HELD;
}

bool run_lock_is_left(const char *folder) {
    return find_state(folder) == LOCK_LEFT;
}

/* Takes a dead owner's lock over: by a new file, as the server may hold the old one's lock. A second lock
 * lets one run at a time do this, so that none removes what another has just made. */
static Attempt take_over(RunLock *lock, const char *path, Log *log) {
    const size_t size = strlen(path) + sizeof ".takeover";
    char *guard_path = mem_new(size, 1);
    snprintf(guard_path, size, "%s.takeover", path);
    RunLock guard = {-1, NULL};
    LockOwner owner;
    Attempt attempt = try_lock(&guard, guard_path);
    if (attempt == TAKEN && (attempt = try_lock(lock, path)) == HELD && lock_owner_read(path, &owner) &&
        lock_owner_is_dead(&owner)) {
        log_line(log, "The lock of process %lld on %s (job %lld, start %lld) is taken over: it has ended.",
                 owner.pid, owner.host, owner.job, owner.restart + 1);
        unlink(path);
        attempt = try_lock(lock, path);
    }
    const int reason = errno;
    run_lock_release(&guard);
    mem_free(guard_path);
    errno = reason;
    return attempt;
}

enum { LOOK_S = 5 }; /* while it waits; not more often, as squeue may be asked each time */

/* whom: such as "another run in this folder". */
static Attempt wait_and_take(RunLock *lock, const char *path, double wait_s, const char *whom, Log *log) {
    const double until_s = timer_now_s() + wait_s;
    double pause_s = 0.1;
    LockOwner owner;
    bool told = false;
    for (;;) {
        Attempt attempt = try_lock(lock, path);
        if (attempt == HELD && lock_owner_read(path, &owner) && lock_owner_is_dead(&owner))
            attempt = take_over(lock, path, log);
        if (attempt != HELD || timer_now_s() >= until_s || stop_signalled()) return attempt;
        char whose[OWNER_TEXT];
        lock_owner_describe(path, whose);
        if (!told) log_line(log, "Waiting up to %.0f s for %s%s.", wait_s, whom, whose);
        told = true;
        nanosleep(&(struct timespec){(time_t)pause_s, (long)(1e9 * (pause_s - (double)(time_t)pause_s))},
                  NULL);
        pause_s = fmin(2 * pause_s, fmin(LOOK_S, fmax(0.1, until_s - timer_now_s())));
    }
}

static bool is_of_another_user(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && facts.st_uid != geteuid();
}

static void refuse_left_by_another(const char *folder, const char *path, Status *status) {
    struct stat facts;
    char number[24] = "", *user = number;
    if (stat(path, &facts) == 0) {
        const struct passwd *entry = getpwuid(facts.st_uid);
        snprintf(number, sizeof number, "%lld", (long long)facts.st_uid);
        if (entry) user = entry->pw_name;
    }
    status_set(status, STATUS_FAILED,
               "%s can't be locked: its %s belongs to the user %s, whose run has ended without removing it. "
               "Remove that file to go on here, or choose another folder with --run.",
               folder, path_name(path), user);
}

StatusCode run_lock_take(RunLock *lock, const char *folder, double wait_s, Log *log, Status *status) {
    char *path = path_join(folder, RUN_LOCK), whose[OWNER_TEXT];
    *lock = (RunLock){-1, NULL};
    Attempt attempt = wait_and_take(lock, path, wait_s, "another run in this folder", log);
    const int reason = errno;
    const bool foreign = attempt == IMPOSSIBLE && reason == EACCES && is_of_another_user(path);
    if (foreign && find_state(folder) == LOCK_HELD) attempt = HELD;
    lock_owner_describe(path, whose);
    if (attempt == TAKEN) {
        lock_owner_write(lock->file);
        note_own(lock->path, lock->file);
    } else if (stop_signalled())
        status_set(status, STATUS_STOPPED, "Stopped by %s before %s could be locked; nothing is to be saved.",
                   stop_signal_name(), folder);
    else if (foreign && attempt == IMPOSSIBLE)
        refuse_left_by_another(folder, path, status);
    else if (attempt == IMPOSSIBLE)
        status_set(status, STATUS_FAILED,
                   "%s can't be locked (%s), so a second run in it wouldn't be noticed: choose a folder on "
                   "another file system with --run.",
                   folder, strerror(reason));
    else
        status_set(
            status, STATUS_FAILED,
            "Another run is writing to %s%s: wait for it, stop it, or choose another folder with --run.",
            folder, whose);
    mem_free(path);
    return status->code;
}

StatusCode run_lock_take_file(RunLock *lock, const char *path, const char *file, double wait_s, Log *log,
                              Status *status) {
    char whom[512], whose[OWNER_TEXT];
    snprintf(whom, sizeof whom, "another program that writes %s", file);
    *lock = (RunLock){-1, NULL};
    const Attempt attempt = wait_and_take(lock, path, wait_s, whom, log);
    if (attempt == TAKEN) {
        lock_owner_write(lock->file);
    } else if (attempt == HELD) {
        lock_owner_describe(path, whose);
        status_set(status, STATUS_FAILED,
                   "Another program is writing %s%s: wait for it, or name another file.", file, whose);
    }
    return status->code;
}
