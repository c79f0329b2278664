/* A few threads of this process that work on the same thing together: they take its tasks one by one, wait
 * for each other between its phases, and take turns where an order must be kept. Waiting threads spin, and
 * give way to others when it takes long. */
#ifndef PARDIGITS_PARALLEL_TEAM_H
#define PARDIGITS_PARALLEL_TEAM_H

#include <stdatomic.h>

enum { TEAM_CACHE_LINE = 64 };

/* Each counter has a cache line of its own. */
typedef struct {
    int threads;
    _Alignas(TEAM_CACHE_LINE) atomic_int next_task;
    _Alignas(TEAM_CACHE_LINE) atomic_int arrived;
    _Alignas(TEAM_CACHE_LINE) atomic_int phase;
} Team;

/* Before any of the threads uses it. */
void team_init(Team *team, int threads);

/* The next task of this phase, 0, 1, ... By any thread. */
int team_next_task(Team *team);

/* Waits for all threads of the team. Afterwards tasks count from 0 again. */
void team_barrier(Team *team);

/* Turns 0, 1, ... that come one after the other, whoever takes them. */
typedef struct {
    _Alignas(TEAM_CACHE_LINE) atomic_int now;
} Turns;

/* Turn 0 is the next. By one thread. */
void turns_restart(Turns *turns);

/* Waits until this turn is the next. Its thread must not wait for a later one before it has ended this one.
 */
void turns_begin(Turns *turns, int turn);
void turns_end(Turns *turns);

#endif
