#include "core/progress.h"

#include "core/timer.h"

#include <unistd.h>

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

/* Whoever ends the job sets `ending` and then looks at the records: so either it sees what this thread has
 * noted, or this thread sees `ending`. */
static void stay_if_ending(Progress *progress, atomic_bool *mark) {
    while (atomic_load(progress->ending)) {
        atomic_store(mark, true);
        pause();
    }
}

void progress_enter(Progress *progress, ProgressPhase phase, int64_t number) {
    atomic_store_explicit(&progress->record->number, number, memory_order_relaxed);
    atomic_store(&progress->record->phase, (int)phase);
    progress_beat(progress);
    stay_if_ending(progress, &progress->record->stays);
}

void progress_wait_begin(Progress *progress) {
    progress->wait_began_s = timer_now_s();
    progress_beat(progress);
    atomic_store_explicit(&progress->record->waits, true, memory_order_release);
}

void progress_wait_end(Progress *progress) {
    atomic_store(&progress->record->waits, false);
    progress->waited_s += timer_now_s() - progress->wait_began_s;
    stay_if_ending(progress, &progress->record->waits); /* still, as it doesn't return */
}
