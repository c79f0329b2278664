/* What the ranks tell about themselves, on each node in memory that its ranks share. Private to the watchdog.
 */
#ifndef PARDIGITS_PARALLEL_WATCH_STATES_H
#define PARDIGITS_PARALLEL_WATCH_STATES_H

#include "core/host.h"
#include "core/progress.h"
#include "parallel/comm.h"
#include "parallel/heartbeats.h"

typedef enum { END_NOT, END_SAVING, END_DONE } EndState;

/* A rank's, on its own node written by itself, on others by whoever receives its heartbeats. */
typedef struct {
    ProgressRecord progress;
    atomic_uint alive;    /* grows as long as its watcher runs; 0: it was never heard of */
    atomic_uint stuck_ms; /* since its main thread last got on; 0 while it waits for others */
    atomic_int end;       /* EndState */
    atomic_int blamed;    /* the rank for which it ends the job; the number of ranks: all of them */
} RankState;

/* What doesn't change. */
typedef struct {
    HeartbeatPlace place;
    int32_t pid, node; /* node: the lowest rank of it */
    char host[HOST_NAME];
} Member;

/* What this rank has seen of another. */
typedef struct {
    unsigned alive, beats;
    double alive_s, beats_s; /* when they last changed */
    double told_s;           /* when it fell behind, if this rank has said so; else 0 */
} Seen;

typedef struct {
    int rank, size;
    const Comm *all;
    Comm *node;
    Member *members;     /* [size] */
    RankState *states;   /* [size] in node memory */
    Seen *seen;          /* [size] */
    atomic_bool *ending; /* in node memory */
    uint64_t key;        /* of this run: in all its messages */
    int socket;
    double interval_s; /* between two messages */
} Watch;

/* Collective; freed by watch_free, which is collective on the node. */
void watch_init(Watch *watch, const Comm *comm);
void watch_free(Watch *watch);

/* Takes messages that have come. */
void watch_receive(Watch *watch);

/* Notes what has changed. */
void watch_look(Watch *watch, double now_s);

/* Tells other nodes of this one: does so only on the lowest rank of the node that lives. */
void watch_send(const Watch *watch, double now_s);

/* Seconds since a rank gave a sign of life; 0 if it never did. */
double watch_silent_s(const Watch *watch, int rank, double now_s);

/* Whether a rank has given one lately. */
bool watch_is_alive(const Watch *watch, int rank, double now_s);

static inline bool watch_is_here(const Watch *watch, int rank) {
    return watch->members[rank].node == watch->members[watch->rank].node;
}

#endif
