#include "parallel/team.h"

#include <sched.h>

enum { SPINS = 2000 }; /* before a thread gives way: some tens of microseconds */

/* Waits once more for something that took `waits` so far. */
static void wait_once(int *waits) {
    if (++*waits > SPINS) {
        sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

void team_init(Team *team, int threads) {
    team->threads = threads;
    atomic_store(&team->next_task, 0);
    atomic_store(&team->arrived, 0);
    atomic_store(&team->phase, 0);
}

int team_next_task(Team *team) {
    return atomic_fetch_add_explicit(&team->next_task, 1, memory_order_relaxed);
}

/* The last one to arrive opens the next phase. */
void team_barrier(Team *team) {
    const int phase = atomic_load_explicit(&team->phase, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 == team->threads) {
        atomic_store_explicit(&team->next_task, 0, memory_order_relaxed);
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&team->phase, phase + 1, memory_order_release);
        return;
    }
    for (int waits = 0; atomic_load_explicit(&team->phase, memory_order_acquire) == phase;)
        wait_once(&waits);
}

void turns_restart(Turns *turns) {
    atomic_store_explicit(&turns->now, 0, memory_order_relaxed);
}

void turns_begin(Turns *turns, int turn) {
    for (int waits = 0; atomic_load_explicit(&turns->now, memory_order_acquire) != turn;)
        wait_once(&waits);
}

void turns_end(Turns *turns) {
    const int now = atomic_load_explicit(&turns->now, memory_order_relaxed);
    atomic_store_explicit(&turns->now, now + 1, memory_order_release);
}
