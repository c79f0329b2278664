#include "core/progress.h"

#include "core/timer.h"

#include <time.h>

const ProgressPhaseText progress_phases[PROGRESS_PHASES] = {
    [PROGRESS_STARTING] = {"starting", NULL},
    [PROGRESS_INPUT] = {"input", NULL},
    [PROGRESS_COMPUTE] = {"compute", "step"},
    [PROGRESS_REDUCTION] = {"reduction", "step"},
    [PROGRESS_UPDATE] = {"update", "step"},
    [PROGRESS_VALIDATION] = {"validation", NULL},
    [PROGRESS_CHECKPOINT] = {"checkpoint", NULL},
    [PROGRESS_SOLVING] = {"solving", "pair"},
    [PROGRESS_SHARING] = {"sharing of what was solved", NULL},
    [PROGRESS_GRID_SEARCH] = {"grid search", "part"},
    [PROGRESS_INDEX] = {"index", NULL},
    [PROGRESS_LEAVE_ONE_OUT] = {"leave-one-out", "image"},
    [PROGRESS_PREDICTION] = {"prediction", NULL},
    [PROGRESS_ENDING] = {"ending", NULL},
};

void progress_init(Progress *progress) {
    *progress = (Progress){0};
    progress->record = &progress->own_record;
    progress->ending = &progress->own_ending;
}

/* Whether this rank, or one of the node that trains with it, is in a phase in which what is saved changes. */
static bool is_change_under_way(const Progress *progress) {
    const int group = atomic_load(&progress->record->group);
    for (int r = 0; r < progress->mate_count; r++) {
        const ProgressRecord *mate = progress->mates[r];
        const int phase = atomic_load(&mate->phase);
        if (atomic_load(&mate->group) == group &&
            (phase == PROGRESS_UPDATE || phase == PROGRESS_CHECKPOINT) &&
            atomic_load(&mate->entry) == PROGRESS_BEGUN)
            return true;
    }
    return false;
}

/* Whoever ends the job sets `ending` and then looks at the records: so either it sees what this thread has
 * noted, or this thread sees `ending`. After that no change begins but with one that is under way. */
static bool must_stay(const Progress *progress) {
    return atomic_load(progress->ending) && !is_change_under_way(progress);
}

static void stay_a_while(void) {
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

void progress_enter(Progress *progress, ProgressPhase phase, int64_t number) {
    ProgressRecord *record = progress->record;
    atomic_store_explicit(&record->number, number, memory_order_relaxed);
    atomic_store(&record->entry, PROGRESS_LOOKS);
    atomic_store(&record->phase, (int)phase);
    progress_beat(progress);
    for (; must_stay(progress); stay_a_while())
        atomic_store(&record->entry, PROGRESS_STAYS);
    atomic_store(&record->entry, PROGRESS_BEGUN);
}

void progress_wait_begin(Progress *progress) {
    progress->wait_began_s = timer_now_s();
    progress_beat(progress);
    atomic_store_explicit(&progress->record->waits, true, memory_order_release);
}

void progress_wait_end(Progress *progress) {
    atomic_store(&progress->record->waits, false);
    progress->waited_s += timer_now_s() - progress->wait_began_s;
    for (; must_stay(progress); stay_a_while())
        atomic_store(&progress->record->waits, true); /* still */
    atomic_store(&progress->record->waits, false);
}
