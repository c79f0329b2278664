/* What SimGrid doesn't have, for the real sources. */
#include "core/waiting.h"

#include "simulate/profile.h"

#include "core/timer.h"

#include <mpi.h>

/* In place of src/core/waiting.c, whose system calls SimGrid doesn't replace. Looks again after 1 microsecond
 * or 1 % of the time waited so far: more often costs the simulation time, and changes its result by less. */
Waiting waiting_begin(void) {
    return (Waiting){timer_now_s()};
}

void waiting_pause(const Waiting *waiting) {
    const double waited_s = timer_now_s() - waiting->began_s;
    simulate_work(waited_s > 1e-4 ? waited_s / 100 : 1e-6);
}

/* SimGrid grants MPI_THREAD_SINGLE alone, which is enough: the simulated ranks have one thread. */
int simulate_init_thread(int *argc, char ***argv, int wanted, int *granted);

int simulate_init_thread(int *argc, char ***argv, int wanted, int *granted) {
    *granted = wanted;
    return MPI_Init(argc, argv);
}
