#include "parallel/watchdog.h"

#include "core/mem.h"
#include "core/timer.h"
#include "parallel/stop.h"
#include "parallel/watch_text.h"

#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    SHOWN = 4,      /* ranks that one sentence names */
    SETTLING_S = 2, /* how long a rank waits for what it saves to be in one piece */
    SAVING_S = 5    /* how long the ranks wait for one that saves */
};

static const double tick_s = 0.1, longest_interval_s = 0.5, shortest_interval_s = 0.05;
/* Processor time that shows that a main thread gets on; the watcher's own isn't counted. */
static const double working_s = 0.01;
/* Without that it is asked so soon whether threads wait for a processor. */
static const double ready_after_s = 0.3;
/* Before a signal ends everything silence is told of earlier. */
static const double patience_after_signal_s = 2;
/* How soon a launcher notices a lost host (src/setup/hosts_env.sh: 5 s). */
static const double launcher_s = 8;

struct Watchdog {
    Watch watch;
    Progress *progress;
    pthread_t thread;
    bool runs; /* the thread */
    atomic_bool stop;
    int wake;                /* an eventfd: to stop at once */
    double looked_s, sent_s; /* when the watcher last did */
    double stuck_s, used_s;
    unsigned beats; /* since when this rank is stuck; as it last got on */
    bool told_all;  /* of ranks that wait for each other */
};

static RankState *own_state(Watchdog *dog) {
    return &dog->watch.states[dog->watch.rank];
}

/* Processor time of all threads of this process but the calling one. */
static double used_cpu_s(void) {
    struct timespec all, own;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
    return (double)(all.tv_sec - own.tv_sec) + 1e-9 * (double)(all.tv_nsec - own.tv_nsec);
}

/* Whether the main thread gets on, or would if it had a processor. */
static bool gets_on(const Watchdog *dog, unsigned beats, double used_s, double now_s) {
    const RankState *state = &dog->watch.states[dog->watch.rank];
    return beats != dog->beats || used_s - dog->used_s > working_s || atomic_load(&state->progress.waits) ||
           (now_s - dog->stuck_s > ready_after_s && watch_is_ready());
}

/* Tells of this rank. */
static void report_own(Watchdog *dog, double now_s) {
    RankState *state = own_state(dog);
    const unsigned beats = atomic_load(&state->progress.beats);
    const double used_s = used_cpu_s();
    if (gets_on(dog, beats, used_s, now_s)) {
        dog->stuck_s = now_s;
        dog->used_s = used_s;
        dog->beats = beats;
    }
    atomic_store(&state->stuck_ms, (unsigned)(1e3 * (now_s - dog->stuck_s)));
    atomic_fetch_add(&state->alive, 1);
}

/* After this process itself was stopped, or got no processor, what it has missed says nothing of others. */
static void forgive(Watchdog *dog, double missed_s) {
    dog->stuck_s += missed_s;
    for (int r = 0; r < dog->watch.size; r++) {
        dog->watch.seen[r].alive_s += missed_s;
        dog->watch.seen[r].beats_s += missed_s;
    }
}

/* One turn of the watcher. */
static double exchange(Watchdog *dog) {
    const double now_s = timer_now_s(), missed_s = now_s - dog->looked_s - tick_s;
    if (missed_s > tick_s) forgive(dog, missed_s);
    dog->looked_s = now_s;
    report_own(dog, now_s);
    watch_receive(&dog->watch);
    watch_look(&dog->watch, now_s);
    if (now_s - dog->sent_s >= dog->watch.interval_s) {
        dog->sent_s = now_s;
        watch_send(&dog->watch, now_s);
    }
    return now_s;
}

static double behind_s(const Watch *watch, int rank, double now_s) {
    if (rank == watch->rank) return 0;
    const double stuck_s = 1e-3 * atomic_load(&watch->states[rank].stuck_ms);
    return watch_is_alive(watch, rank, now_s) ? stuck_s : stuck_s + watch_silent_s(watch, rank, now_s);
}

/* Whether a signal that this process got may be due to a rank that ended too early. */
static bool is_lost(const Watch *watch, int rank, double now_s) {
    return stop_signalled() && watch_silent_s(watch, rank, now_s) > 3 * tick_s &&
           atomic_load(&watch->states[rank].progress.phase) != PROGRESS_ENDING &&
           watch_has_ended(watch, rank);
}

/* For how long all ranks have waited for each other. */
static double all_wait_s(const Watch *watch, double now_s) {
    double least_s = INFINITY;
    for (int r = 0; r < watch->size; r++) {
        if (!watch_is_alive(watch, r, now_s) || !atomic_load(&watch->states[r].progress.waits)) return 0;
        least_s = fmin(least_s, now_s - watch->seen[r].beats_s);
    }
    return least_s;
}

/* Whether to warn of a rank that is behind for so long. */
static bool is_late(const Watchdog *dog, int rank, double late_s, double now_s) {
    const double warn_s = atomic_load(&dog->progress->warn_s);
    if (is_lost(&dog->watch, rank, now_s)) return true;
    const bool hurry = stop_signalled() && !watch_is_alive(&dog->watch, rank, now_s);
    return late_s > 0 && late_s >= (hurry ? fmin(warn_s, patience_after_signal_s) : warn_s);
}

static void warn(Watchdog *dog, double now_s) {
    Watch *watch = &dog->watch;
    char text[WATCH_TEXT] = "";
    int fallen = 0;
    for (int r = 0; r < watch->size; r++) {
        Seen *seen = &watch->seen[r];
        const double late_s = behind_s(watch, r, now_s);
        if (seen->told_s > 0 || !is_late(dog, r, late_s, now_s)) continue;
        seen->told_s = now_s - late_s;
        if (fallen++ < SHOWN) watch_describe(watch, r, now_s, text);
    }
    if (fallen > SHOWN)
        watch_say(watch, "%s; and %d more.", text, fallen - SHOWN);
    else if (fallen)
        watch_say(watch, "%s.", text);
    if (dog->told_all || all_wait_s(watch, now_s) < atomic_load(&dog->progress->warn_s)) return;
    dog->told_all = true;
    *text = 0;
    watch_describe_all(watch, text);
    watch_say(watch, "%s.", text);
}

/* Said by the lowest other rank, if it has said that this one was behind. */
static void tell_goes_on(Watch *watch, int rank, double now_s) {
    Seen *seen = &watch->seen[rank];
    if (seen->told_s > 0 && watch->rank == (rank > 0 ? 0 : 1))
        watch_say(watch, "rank %d goes on after %.1f s.", rank, now_s - seen->told_s);
    seen->told_s = 0;
}

static void tell_who_goes_on(Watchdog *dog, double now_s) {
    Watch *watch = &dog->watch;
    if (all_wait_s(watch, now_s) == 0) dog->told_all = false;
    for (int r = 0; r < watch->size; r++)
        if (behind_s(watch, r, now_s) <= 0.5 && !is_lost(watch, r, now_s)) tell_goes_on(watch, r, now_s);
}

/* When all ranks have come to the end. */
static void tell_all_go_on(Watch *watch) {
    for (int r = 0; r < watch->size; r++)
        tell_goes_on(watch, r, timer_now_s());
}

/* Whether a rank's share of what is trained is in one piece, and stays so while the job ends: it can't begin
 * an update, or the end of an epoch, but with another rank that is in one. */
static bool is_in_one_piece(const ProgressRecord *record) {
    const int entry = atomic_load(&record->entry); /* before its phase, which is the last one if it stays */
    const int phase = atomic_load(&record->phase);
    if (entry == PROGRESS_STAYS) return phase >= PROGRESS_INPUT && phase <= PROGRESS_CHECKPOINT;
    return phase >= PROGRESS_INPUT && phase <= PROGRESS_VALIDATION && phase != PROGRESS_UPDATE;
}

static bool is_group_in_one_piece(const Progress *progress) {
    const int group = atomic_load(&progress->record->group);
    for (int r = 0; r < progress->mate_count; r++)
        if (atomic_load(&progress->mates[r]->group) == group && !is_in_one_piece(progress->mates[r]))
            return false;
    return true;
}

/* The same of all ranks of the node that train with this one. While the job ends they all finish a change or
 * none does, so that what is in one piece twice, one after the other, is so at one time. In a step the main
 * thread may compute; otherwise it must wait or stay, which it doesn't return from while the job ends. */
static bool can_save(const Watchdog *dog) {
    const ProgressRecord *own = dog->progress->record;
    if (!is_group_in_one_piece(dog->progress) || !is_group_in_one_piece(dog->progress)) return false;
    const int phase = atomic_load(&own->phase);
    return phase == PROGRESS_COMPUTE || phase == PROGRESS_REDUCTION || atomic_load(&own->waits) ||
           atomic_load(&own->entry) == PROGRESS_STAYS;
}

/* Or until the watchdog is stopped. */
static void pause_s(const Watchdog *dog, double seconds) {
    struct pollfd wake = {.fd = dog->wake, .events = POLLIN};
    poll(&wake, 1, (int)(1e3 * seconds));
}

/* What is trained here, as soon as it is in one piece: ranks that compute get there unless one is stopped. */
static void try_to_save(Watchdog *dog, double now_s) {
    char text[WATCH_TEXT] = "";
    const ProgressSave *how = atomic_load(&dog->progress->save);
    if (!how) return;
    atomic_store(&own_state(dog)->end, END_SAVING);
    dog->sent_s = 0;
    for (const double until_s = exchange(dog) + SETTLING_S; !can_save(dog) && now_s < until_s;
         now_s = exchange(dog))
        pause_s(dog, tick_s);
    if (can_save(dog))
        how->run(how->context, text, sizeof text);
    else
        snprintf(
            text, sizeof text,
            "nothing can be saved now, as a rank of this host is in the middle of changing or saving what "
            "it trains; the last checkpoint, if there is one, stays.");
    watch_say(&dog->watch, "%s", text);
}

static bool somebody_saves(const Watch *watch) {
    for (int r = 0; r < watch->size; r++)
        if (atomic_load(&watch->states[r].end) == END_SAVING) return true;
    return false;
}

/* For how long a process that could end stays. The first one that ends may end the others, so all of them get
 * the time to speak. When a host is lost the launcher has to notice that before it hears of an end: Open
 * MPI's mpirun would send the host the order to end, too, and wait for an answer for a quarter of an hour. */
static double farewell_s(const Watch *watch, int blamed, double now_s) {
    const double least_s = 4 * watch->interval_s;
    if (blamed == watch->size || watch_is_here(watch, blamed)) return least_s;
    for (int r = 0; r < watch->size; r++)
        if (watch->members[r].node == watch->members[blamed].node && watch_is_alive(watch, r, now_s))
            return least_s;
    return fmax(least_s, launcher_s - watch_silent_s(watch, blamed, now_s));
}

/* Ends this process. */
static void leave(Watchdog *dog, int blamed) {
    const double began_s = timer_now_s(), least_s = farewell_s(&dog->watch, blamed, began_s);
    atomic_store(&own_state(dog)->end, END_DONE);
    dog->sent_s = 0;
    for (double past_s = 0; past_s < least_s || (past_s < SAVING_S && somebody_saves(&dog->watch));
         past_s = exchange(dog) - began_s)
        pause_s(dog, tick_s);
    _exit(1);
}

/* blamed: a rank, or the number of ranks: they wait for each other. */
static void end_job(Watchdog *dog, int blamed, double now_s) {
    Watch *watch = &dog->watch;
    char text[WATCH_TEXT] = "";
    atomic_store(watch->ending, true);
    if (blamed == watch->rank)
        snprintf(text, sizeof text, "the other ranks waited for this one");
    else if (blamed < watch->size)
        watch_describe(watch, blamed, now_s, text);
    else
        watch_describe_all(watch, text);
    watch_say(watch, "%s: the job ends (run.stall_abort_s = %d).", text,
              atomic_load(&dog->progress->abort_s));
    atomic_store(&own_state(dog)->blamed, blamed);
    try_to_save(dog, now_s);
    leave(dog, blamed);
}

/* Ends the job when a rank has been behind for too long, or another rank ends it for that. */
static void judge(Watchdog *dog, double now_s) {
    const Watch *watch = &dog->watch;
    const double abort_s = atomic_load(&dog->progress->abort_s);
    for (int r = 0; r < watch->size; r++)
        if (atomic_load(&watch->states[r].end) != END_NOT)
            end_job(dog, atomic_load(&watch->states[r].blamed), now_s);
    if (abort_s == 0) return;
    for (int r = 0; r < watch->size; r++)
        if (behind_s(watch, r, now_s) >= abort_s) end_job(dog, r, now_s);
    if (all_wait_s(watch, now_s) >= abort_s) end_job(dog, watch->size, now_s);
}

/* Several messages in the shorter patience. */
static void choose_interval(Watchdog *dog) {
    const double warn_s = atomic_load(&dog->progress->warn_s), abort_s = atomic_load(&dog->progress->abort_s);
    const double patience_s = fmin(warn_s > 0 ? warn_s : INFINITY, abort_s > 0 ? abort_s : INFINITY);
    dog->watch.interval_s = fmax(shortest_interval_s, fmin(patience_s / 10, longest_interval_s));
}

static void *watch_ranks(void *context) {
    Watchdog *dog = context;
    dog->looked_s = dog->stuck_s = timer_now_s();
    while (!atomic_load(&dog->stop)) {
        choose_interval(dog);
        const double now_s = exchange(dog);
        judge(dog, now_s);
        if (atomic_load(&dog->progress->warn_s) > 0) warn(dog, now_s);
        tell_who_goes_on(dog, now_s);
        pause_s(dog, fmin(tick_s, dog->watch.interval_s));
    }
    return NULL;
}

/* Signals are the main thread's. */
static bool start_thread(Watchdog *dog) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool started = pthread_create(&dog->thread, NULL, watch_ranks, dog) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* The records of the ranks of this node. */
static void find_mates(const Watch *watch, Progress *progress) {
    progress->mates = mem_new((size_t)watch->size, sizeof *progress->mates);
    for (int r = 0; r < watch->size; r++)
        if (watch_is_here(watch, r)) progress->mates[progress->mate_count++] = &watch->states[r].progress;
}

static void forget_mates(Progress *progress) {
    mem_free(progress->mates);
    progress->mates = NULL;
    progress->mate_count = 0;
}

/* Where this process notes what it does from now on. */
static void note_in(Progress *progress, ProgressRecord *record, atomic_bool *ending) {
    atomic_store(&record->phase, atomic_load(&progress->record->phase));
    atomic_store(&record->number, atomic_load(&progress->record->number));
    progress->record = record;
    progress->ending = ending;
}

void watchdog_set_patience(const Comm *comm, int64_t warn_s, int64_t abort_s) {
    atomic_store(&comm_progress(comm)->warn_s, (int)warn_s);
    atomic_store(&comm_progress(comm)->abort_s, (int)abort_s);
}

Watchdog *watchdog_start(Comm *comm) {
    watchdog_set_patience(comm, WATCHDOG_WARN_S, WATCHDOG_ABORT_S);
    if (comm_size(comm) == 1) return NULL;
    Watchdog *dog = mem_new(1, sizeof *dog);
    watch_init(&dog->watch, comm);
    dog->progress = comm_progress(comm);
    find_mates(&dog->watch, dog->progress);
    note_in(dog->progress, &own_state(dog)->progress, dog->watch.ending);
    dog->wake = eventfd(0, EFD_CLOEXEC);
    dog->runs = start_thread(dog);
    return dog;
}

void watchdog_stop(Watchdog **pointer) {
    Watchdog *dog = *pointer;
    if (!dog) return;
    progress_enter(dog->progress, PROGRESS_ENDING, 0);
    comm_barrier(dog->watch.all);
    atomic_store(&dog->stop, true);
    eventfd_write(dog->wake, 1);
    if (dog->runs) pthread_join(dog->thread, NULL);
    tell_all_go_on(&dog->watch);
    note_in(dog->progress, &dog->progress->own_record, &dog->progress->own_ending);
    forget_mates(dog->progress);
    if (dog->wake >= 0) close(dog->wake);
    watch_free(&dog->watch);
    mem_free(dog);
    *pointer = NULL;
}
