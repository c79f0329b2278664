#include "parallel/stop.h"

#include "core/mem.h"
#include "parallel/comm_mpi.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_UNFINISHED = 8 };

/* A handler sets or reads them, and other threads read them. */
static atomic_int signal_seen, held;
static const char *_Atomic leave_advice;                /* NULL: there may be something to save */
static const char *_Atomic unfinished[MOST_UNFINISHED]; /* files; NULL: none at this place */

static atomic_bool requested; /* stop_request */
static bool trains;           /* whether stop_install was called */

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"}};
enum { SIGNALS = sizeof signals / sizeof *signals };

static const char *name_of(int number) {
    for (int i = 0; i < SIGNALS; i++)
        if (signals[i].number == number) return signals[i].name;
    return "a signal on another rank";
}

static bool is_of_terminal(int number) {
    return number == SIGINT || number == SIGHUP;
}

/* As a program without a handler does, so that a shell's loop ends, too. */
static void die_of(int number) {
    sigset_t one;
    signal(number, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    raise(number);
}

/* Also from a handler, so it calls nothing but what that may call. */
static void leave(int number) {
    for (int i = 0; i < MOST_UNFINISHED; i++)
        if (unfinished[i]) unlink(unfinished[i]);
    if (!trains && is_of_terminal(number)) die_of(number);
    const char *const parts[] = {"pardigits: Stopped by ", name_of(number),
                                 "; nothing is left to save: ", leave_advice, ".\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        (void)!write(STDERR_FILENO, parts[i], strlen(parts[i]));
    _exit(STATUS_STOPPED);
}

static void take_signal(int number) {
    signal_seen = number;
    if (leave_advice && !held) leave(number);
}

/* A launcher may have blocked the signal until here. */
static void handle(int number) {
    struct sigaction before, action = {.sa_handler = take_signal, .sa_flags = SA_RESTART};
    if (number == SIGINT) action.sa_flags |= (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    if (is_of_terminal(number) && sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
        return;
    sigaction(number, &action, NULL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

void stop_install(void) {
    trains = true;
    for (int i = 0; i < SIGNALS; i++)
        handle(signals[i].number);
}

void stop_exit_on_signal(const char *advice) {
    leave_advice = advice;
    for (int i = 0; i < SIGNALS; i++)
        handle(signals[i].number);
    if (signal_seen) leave(signal_seen);
}

void stop_hold(void) {
    held++;
}

void stop_release(void) {
    held--;
    if (!held && signal_seen && leave_advice) leave(signal_seen);
}

void stop_note_unfinished(const char *path) {
    for (int i = 0; i < MOST_UNFINISHED; i++)
        if (!unfinished[i]) {
            unfinished[i] = path;
            return;
        }
}

void stop_forget_unfinished(const char *path) {
    for (int i = 0; i < MOST_UNFINISHED; i++)
        if (unfinished[i] == path) unfinished[i] = NULL;
}

void stop_note_only(void) {
    leave_advice = NULL;
}

bool stop_request(void) {
    return !atomic_exchange(&requested, true);
}

bool stop_signalled(void) {
    return signal_seen != 0 || atomic_load_explicit(&requested, memory_order_relaxed);
}

const char *stop_signal_name(void) {
    return !signal_seen && requested ? "the loss of its folder" : name_of(signal_seen);
}

/* Each rank sends every other rank exactly one message: "stop" when it receives a signal or fails, otherwise
 * "finished" at the end. So all receives complete, and none has to be cancelled. */
struct StopWatch {
    MPI_Comm mpi;
    int rank, size;
    Progress *progress;
    bool told;            /* this rank has sent its message */
    bool stop;            /* a rank said "stop" */
    char mine;            /* the message: 1 stop, 0 finished */
    char *theirs;         /* [size] */
    MPI_Request *pending; /* [2 * size]: receives, then sends */
};

StopWatch *stop_watch_create(const Comm *comm) {
    StopWatch *watch = mem_new(1, sizeof *watch);
    comm_check(MPI_Comm_dup(comm_mpi(comm), &watch->mpi), "MPI_Comm_dup");
    watch->progress = comm_progress(comm);
    watch->rank = comm_rank(comm);
    watch->size = comm_size(comm);
    watch->theirs = mem_new((size_t)watch->size, 1);
    watch->pending = mem_new((size_t)watch->size * 2, sizeof *watch->pending);
    for (int r = 0; r < 2 * watch->size; r++)
        watch->pending[r] = MPI_REQUEST_NULL;
    for (int r = 0; r < watch->size; r++)
        if (r != watch->rank)
            comm_check(MPI_Irecv(watch->theirs + r, 1, MPI_CHAR, r, 0, watch->mpi, &watch->pending[r]),
                       "MPI_Irecv");
    return watch;
}

static void tell_others(StopWatch *watch, bool stop) {
    if (watch->told) return;
    watch->told = true;
    watch->mine = stop;
    for (int r = 0; r < watch->size; r++)
        if (r != watch->rank)
            comm_check(
                MPI_Isend(&watch->mine, 1, MPI_CHAR, r, 0, watch->mpi, &watch->pending[watch->size + r]),
                "MPI_Isend");
}

void stop_watch_raise(StopWatch *watch) {
    tell_others(watch, true);
    watch->stop = true;
}

bool stop_watch_poll(StopWatch *watch) {
    if (stop_signalled()) stop_watch_raise(watch);
    if (!watch->stop && watch->size > 1) {
        int which, found;
        comm_check(MPI_Testany(watch->size, watch->pending, &which, &found, MPI_STATUS_IGNORE),
                   "MPI_Testany");
        if (found && which != MPI_UNDEFINED && watch->theirs[which]) watch->stop = true;
    }
    return watch->stop;
}

/* Waits for all ranks and passes on a signal that arrives meanwhile. Sleeps, to leave the CPU to other ranks.
 */
static void wait_for_all(StopWatch *watch) {
    MPI_Request barrier;
    comm_check(MPI_Ibarrier(watch->mpi, &barrier), "MPI_Ibarrier");
    for (int done = 0; !done;) {
        stop_watch_poll(watch);
        comm_check(MPI_Test(&barrier, &done, MPI_STATUS_IGNORE), "MPI_Test");
        if (!done) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

bool stop_watch_destroy(StopWatch **watch_pointer) {
    StopWatch *watch = *watch_pointer;
    progress_wait_begin(watch->progress);
    wait_for_all(watch);
    tell_others(watch, watch->stop || stop_signalled());
    comm_check(MPI_Waitall(2 * watch->size, watch->pending, MPI_STATUSES_IGNORE), "MPI_Waitall");
    progress_wait_end(watch->progress);
    bool stop = watch->mine;
    for (int r = 0; r < watch->size; r++)
        stop = stop || watch->theirs[r];
    comm_check(MPI_Comm_free(&watch->mpi), "MPI_Comm_free");
    mem_free(watch->pending);
    mem_free(watch->theirs);
    mem_free(watch);
    *watch_pointer = NULL;
    return stop;
}
