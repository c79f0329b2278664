/* What a process is doing: its phase, and a count that grows with its work. The main thread notes it where
 * other ranks of the node can read it, so that it is known even of a process that is stopped or killed
 * (parallel/watchdog.h). Nothing here communicates. */
#ifndef PARDIGITS_CORE_PROGRESS_H
#define PARDIGITS_CORE_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    PROGRESS_STARTING,
    PROGRESS_INPUT,
    PROGRESS_COMPUTE,   /* a step; nothing that is saved changes */
    PROGRESS_REDUCTION, /* a step; nor here */
    PROGRESS_UPDATE,    /* a step; what ranks of the node share is changed */
    PROGRESS_VALIDATION,
    PROGRESS_CHECKPOINT,
    PROGRESS_SOLVING,       /* a pair of classes */
    PROGRESS_SHARING,       /* what was solved */
    PROGRESS_GRID_SEARCH,   /* a part */
    PROGRESS_INDEX,         /* of the images to search */
    PROGRESS_LEAVE_ONE_OUT, /* an image */
    PROGRESS_PREDICTION,
    PROGRESS_ENDING,
    PROGRESS_PHASES
} ProgressPhase;

typedef struct {
    const char *name;
    const char *number; /* what its number counts; NULL: it has none */
} ProgressPhaseText;
extern const ProgressPhaseText progress_phases[PROGRESS_PHASES];

/* Whether a phase that was noted was begun. While a thread looks whether the job ends it isn't known yet; a
 * rank stays at the beginning of a phase, nothing of which was done, as the job ends. */
typedef enum { PROGRESS_BEGUN, PROGRESS_LOOKS, PROGRESS_STAYS } ProgressEntry;

/* One process's, written by itself. */
typedef struct {
    _Alignas(64) atomic_int phase;
    atomic_bool waits; /* for other ranks, in MPI */
    atomic_int entry;  /* ProgressEntry */
    atomic_uint beats; /* grows with the work */
    atomic_llong number;
    atomic_int group; /* of ranks that train one model together (progress_join) */
} ProgressRecord;

/* How to save what was trained so far while the main thread computes in a step, waits for other ranks or
 * stays at the beginning of a phase, and each rank of the group on this node is in a phase from
 * PROGRESS_INPUT to PROGRESS_VALIDATION but PROGRESS_UPDATE, or stays at the beginning of one up to
 * PROGRESS_CHECKPOINT. */
typedef struct {
    /* By another thread; it calls no MPI. text [size]: a sentence of what was saved, or why not. */
    void (*run)(const void *context, char *text, int size);
    const void *context;
} ProgressSave;

typedef struct {
    ProgressRecord *record; /* in memory of this process, or of its node */
    atomic_bool *ending;    /* the job ends: the main thread must change nothing that is saved */
    ProgressRecord **mates; /* [mate_count] of all ranks of the node, where there are several */
    int mate_count;
    ProgressRecord own_record;
    atomic_bool own_ending;
    atomic_int warn_s, abort_s;         /* the patience with other ranks (parallel/watchdog.h) */
    double wait_began_s, waited_s;      /* of the main thread, which alone looks at them: in all */
    _Atomic(const ProgressSave *) save; /* NULL: there is nothing to save */
} Progress;

/* In place: it must not be moved. */
void progress_init(Progress *progress);

/* At the beginning of each phase, and of each step or the like of it. By any thread. While the job ends it
 * doesn't return, unless a rank of the node and of its group is in an update or saves, and may wait for this
 * one to take part in it: what they train is in one piece again after that. */
void progress_enter(Progress *progress, ProgressPhase phase, int64_t number);

/* This rank trains with those of the same number: members of an ensemble are trained by groups. The number is
 * 0 at first. */
static inline void progress_join(Progress *progress, int group) {
    atomic_store(&progress->record->group, group);
}

/* By any thread: something was done. */
static inline void progress_beat(Progress *progress) {
    atomic_fetch_add_explicit(&progress->record->beats, 1, memory_order_relaxed);
}

/* By the main thread, around what waits for other ranks. While the job ends the second returns only where
 * progress_enter would. */
void progress_wait_begin(Progress *progress);
void progress_wait_end(Progress *progress);

/* By the main thread: how long it has waited for other ranks since the program's start. */
static inline double progress_waited_s(const Progress *progress) {
    return progress->waited_s;
}

#endif
